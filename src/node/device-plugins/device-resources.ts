import type { Clock, Timer } from '../../base/clock.ts';
import type { PluginConnection } from '../plugins/plugin-connection.ts';
import type { DevicePluginCalls, DevicePluginOptions } from './device-plugin-protocol.ts';

/** A plug-in that serves a resource. */
export interface DeviceEndpoint {
  readonly connection: PluginConnection<DevicePluginCalls>;
  readonly options: DevicePluginOptions;
}

/** The devices of a node by resource, as their plug-ins tell of them. */
export interface DeviceResources {
  names(): readonly string[];
  /** Of an earlier agent's plug-ins, which have not registered again. */
  expect(names: readonly string[]): void;
  /** Takes the place of an earlier plug-in for the resource; resolves when it has told of its devices, or ended. */
  add(resource: string, endpoint: DeviceEndpoint): Promise<void>;
  endpoint(resource: string): DeviceEndpoint | undefined;
  /** Ids of the devices that work; undefined for a resource that no plug-in has registered. */
  healthy(resource: string): readonly string[] | undefined;
  /** Whether a device is known not to work. */
  isBroken(resource: string, id: string): boolean;
  capacity(): Readonly<Record<string, string>>;
  allocatable(): Readonly<Record<string, string>>;
  close(): void;
}

interface Resource {
  /** Whether each works. */
  devices: ReadonlyMap<string, boolean>;
  endpoint: DeviceEndpoint | undefined;
  /** Runs while no plug-in serves it; after that only its name is left, so that the node can say that it has none. */
  forgetting: Timer | undefined;
  forgotten: boolean;
}

/** How long a resource stays on the list when its plug-in is gone. */
const GRACE_MS = 300_000;

/** Follows the plug-ins that are added; `onChange` is called when there are more devices or fewer. */
export function createDeviceResources(clock: Clock, onChange: () => void): DeviceResources {
  const resources = new Map<string, Resource>();
  const streams = new Map<DeviceEndpoint, { close(): void }>();

  function forgetLater(resource: Resource): void {
    resource.forgetting = clock.after(GRACE_MS, () => {
      resource.forgotten = true;
      resource.devices = new Map();
      onChange();
    });
  }

  function ended(resource: Resource, endpoint: DeviceEndpoint): void {
    endpoint.connection.close();
    streams.delete(endpoint);
    if (resource.endpoint !== endpoint) return;
    resource.endpoint = undefined;
    resource.devices = new Map([...resource.devices.keys()].map((id) => [id, false]));
    forgetLater(resource);
    onChange();
  }

  function counts(counted: (healthy: boolean) => boolean): Record<string, string> {
    const amounts = [...resources].map(
      ([name, { devices }]) => [name, String([...devices.values()].filter(counted).length)] as const,
    );
    return Object.fromEntries(amounts);
  }

  return {
    names: () => [...resources].flatMap(([name, { forgotten }]) => (forgotten ? [] : [name])),
    expect(names) {
      for (const name of names) {
        const resource = newResource();
        resources.set(name, resource);
        forgetLater(resource);
      }
    },
    async add(name, endpoint) {
      const resource = resources.get(name) ?? newResource();
      resources.set(name, resource);
      const earlier = resource.endpoint;
      resource.endpoint = endpoint;
      resource.forgetting?.cancel();
      resource.forgotten = false;
      if (earlier && earlier !== endpoint) {
        streams.get(earlier)?.close();
        streams.delete(earlier);
        earlier.connection.close();
      }
      await new Promise<void>((resolve) => {
        const stream = endpoint.connection.watch(
          'ListAndWatch',
          {},
          {
            onMessage({ devices }) {
              if (resource.endpoint !== endpoint) return;
              resource.devices = new Map(devices.map(({ ID, health }) => [ID, health === 'Healthy']));
              onChange();
              resolve();
            },
            onEnd() {
              ended(resource, endpoint);
              resolve();
            },
          },
        );
        streams.set(endpoint, stream);
      });
    },
    endpoint: (name) => resources.get(name)?.endpoint,
    healthy(name) {
      const resource = resources.get(name);
      return resource?.forgotten === false
        ? [...resource.devices].flatMap(([id, healthy]) => (healthy ? [id] : []))
        : undefined;
    },
    isBroken: (name, id) => resources.get(name)?.devices.get(id) === false,
    capacity: () => counts(() => true),
    allocatable: () => counts((healthy) => healthy),
    close() {
      for (const stream of streams.values()) stream.close();
      for (const { endpoint, forgetting } of resources.values()) {
        endpoint?.connection.close();
        forgetting?.cancel();
      }
    },
  };
}

function newResource(): Resource {
  return { devices: new Map(), endpoint: undefined, forgetting: undefined, forgotten: false };
}
