import { basename, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Container, Pod, ResourceStatus } from '../../api/core/v1.gen.ts';
import { isExtendedResource } from '../../api/core/pod-spec/resource-names.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import type { Live } from '../../machinery/object.ts';
import type { Refusal } from '../admission/refusal-of.ts';
import { containersOf, initContainersOf, isSidecar } from '../pod-containers.ts';
import { machinePath } from '../plugins/kubelet-paths.ts';
import { connectPlugin, PluginError } from '../plugins/plugin-connection.ts';
import { PluginRefused, type PluginHandler } from '../plugins/plugin-registry.ts';
import { chooseDevices } from './choose-devices.ts';
import { deviceOptions, type DeviceOptions } from './container-device-options.ts';
import { createDeviceAllocations } from './device-allocations.ts';
import {
  DEVICE_PLUGIN_VERSION,
  devicePluginService,
  type DevicePluginCalls,
  type DevicePluginOptions,
} from './device-plugin-protocol.ts';
import { createDeviceResources, type DeviceEndpoint } from './device-resources.ts';
import { serveRegistration } from './registration-server.ts';

/** The devices of a node's device plug-ins, and who has them (the kubelet's device manager). */
export interface DevicePlugins {
  /** Takes plug-ins that register by a socket in `plugins_registry`. */
  readonly handler: PluginHandler;
  /** Learns what an earlier agent gave to whom. */
  recover(): Promise<void>;
  /** Begins to listen for plug-ins in `device-plugins`. */
  start(): Promise<void>;
  /** Amounts by resource: all devices, and those that work. */
  capacity(): Readonly<Record<string, string>>;
  allocatable(): Readonly<Record<string, string>>;
  /**
   * Gives a pod's containers the devices that they ask for, after freeing those of pods that are not among the active ones; idempotent.
   * Resolves to why that cannot be.
   */
  allocate(pod: Live<Pod>, active: ReadonlySet<string>): Promise<Refusal | undefined>;
  /** How the devices are that a container was given, by resource. */
  health(podUid: string, container: string): readonly ResourceStatus[];
  /** What a container gets that is about to start; tells its plug-ins. Throws `PluginError`. */
  beforeStart(pod: Live<Pod>, container: Container): Promise<DeviceOptions>;
  close(): void;
}

export interface DevicePluginsOptions {
  readonly clock: Clock;
  /** The node's. */
  readonly directory: string;
  /** There are more devices, or fewer. */
  onChange(): void;
  onError(error: unknown): void;
}

const DIAL_TIMEOUT_MS = 10_000;

/** Serves device plug-ins (v1beta1). */
export function createDevicePlugins(options: DevicePluginsOptions): DevicePlugins {
  const { clock, directory, onError } = options;
  const folder = join(directory, 'device-plugins');
  const allocations = createDeviceAllocations(folder);
  const resources = createDeviceResources(clock, () => {
    options.onChange();
    save().catch(onError);
  });
  let registration: { close(): void } | undefined;
  let closed = false;
  let saved = '';

  async function save(): Promise<void> {
    const names = resources.names();
    if (names.join() === saved) return;
    saved = names.join();
    await allocations.save(names);
  }

  async function connect(
    resource: string,
    socket: string,
    given: DevicePluginOptions | undefined,
  ): Promise<DeviceEndpoint> {
    const connection = await connectPlugin<DevicePluginCalls>({
      socket,
      service: devicePluginService,
      clock,
      readyWithinMs: DIAL_TIMEOUT_MS,
    });
    const own = given ?? (await connection.call('GetDevicePluginOptions', {}));
    const endpoint = { connection, options: own };
    resources.add(resource, endpoint).catch(onError);
    return endpoint;
  }

  /** How many devices of plug-ins a container asks for, by resource. */
  function asked({ resources: { limits = {} } = {} }: Container): readonly (readonly [string, number])[] {
    return Object.entries(limits).flatMap(([resource, quantity]) => {
      const known = resources.healthy(resource) !== undefined || allocations.has(resource);
      const count = known ? Number(quantityValue(parseQuantity(quantity))) : 0;
      return count > 0 ? [[resource, count] as const] : [];
    });
  }

  async function allocateContainer(
    podUid: string,
    container: Container,
    reusable: ReadonlyMap<string, readonly string[]>,
  ): Promise<void> {
    for (const [resource, count] of asked(container)) {
      const held = allocations.of(podUid, container.name).find((one) => one.resource === resource);
      if (held) continue;
      const endpoint = resources.endpoint(resource);
      const ids = await chooseDevices({
        resource,
        count,
        healthy: resources.healthy(resource),
        inUse: allocations.inUse(resource),
        reusable: reusable.get(resource) ?? [],
        ...(endpoint?.options.get_preferred_allocation_available && {
          prefer: (available, included) => prefer(endpoint, { available, included, count }),
        }),
      });
      if (!endpoint) throw new PluginError(`unknown Device Plugin ${resource}`);
      const { container_responses: responses } = await endpoint.connection.call('Allocate', {
        container_requests: [{ devices_ids: ids }],
      });
      const [response] = responses;
      if (!response) throw new PluginError('no containers return in allocation response');
      allocations.add({ podUid, container: container.name, resource, ids, response });
    }
  }

  async function allocateAll(pod: Live<Pod>): Promise<void> {
    const { uid } = pod.metadata;
    const reusable = new Map<string, readonly string[]>();
    for (const container of [...initContainersOf(pod), ...containersOf(pod)]) {
      await allocateContainer(uid, container, reusable);
      const ends = initContainersOf(pod).includes(container) && !isSidecar(container);
      for (const { resource, ids } of allocations.of(uid, container.name)) {
        const others = (reusable.get(resource) ?? []).filter((id) => !ids.includes(id));
        reusable.set(resource, ends ? [...others, ...ids] : others);
      }
    }
  }

  async function tryAllocating(pod: Live<Pod>): Promise<void> {
    const containers = [...initContainersOf(pod), ...containersOf(pod)];
    if (containers.every((container) => asked(container).length === 0)) return;
    const { uid } = pod.metadata;
    const before = containers.flatMap(({ name }) => allocations.of(uid, name));
    try {
      await allocateAll(pod);
    } catch (error) {
      allocations.replace(uid, before);
      throw error;
    } finally {
      await allocations.save(resources.names());
    }
  }

  return {
    handler: {
      async register({ name, endpoint, supported_versions: versions }) {
        if (!versions.includes(DEVICE_PLUGIN_VERSION)) throw new PluginRefused(unsupported(versions.join()));
        if (!isExtendedResource(name)) throw new PluginRefused(invalidName(name));
        const added = await connect(name, machinePath(endpoint, directory), undefined);
        return { remove: async () => added.connection.close() };
      },
    },
    async recover() {
      resources.expect(await allocations.recover());
    },
    async start() {
      const started = await serveRegistration(
        folder,
        async (request) => {
          const { version, endpoint, resource_name: resource } = request;
          if (version !== DEVICE_PLUGIN_VERSION) throw new PluginError(unsupported(version));
          if (!isExtendedResource(resource)) throw new PluginError(invalidName(resource));
          const given = request.options ?? {
            pre_start_required: false,
            get_preferred_allocation_available: false,
          };
          await connect(resource, join(folder, basename(endpoint)), given);
        },
        onError,
      );
      if (closed) started.close();
      else registration = started;
    },
    capacity: () => resources.capacity(),
    allocatable: () => resources.allocatable(),
    async allocate(pod, active) {
      allocations.keepPods(new Set([...active, pod.metadata.uid]));
      try {
        await tryAllocating(pod);
        return undefined;
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        const message = `Allocate failed due to ${error.message}, which is unexpected`;
        return { reason: 'UnexpectedAdmissionError', message };
      }
    },
    health: (podUid, container) =>
      allocations.of(podUid, container).map(({ resource, ids }) => ({
        name: resource,
        resources: ids.map((resourceID) => ({
          resourceID,
          health: resources.isBroken(resource, resourceID) ? 'Unhealthy' : 'Healthy',
        })),
      })),
    async beforeStart(pod, container) {
      const { uid } = pod.metadata;
      const wanted = asked(container);
      const held = (): ReturnType<typeof allocations.of> => allocations.of(uid, container.name);
      if (wanted.some(([resource]) => !held().some((one) => one.resource === resource)))
        await tryAllocating(pod);
      for (const { resource, ids } of held()) {
        const endpoint = resources.endpoint(resource);
        if (!endpoint?.options.pre_start_required) continue;
        try {
          await endpoint.connection.call('PreStartContainer', { devices_ids: ids });
        } catch (cause) {
          if (!(cause instanceof PluginError)) throw cause;
          throw new PluginError(`device plugin PreStartContainer rpc failed with err: ${cause.message}`, {
            cause,
          });
        }
      }
      return deviceOptions(held().map(({ response }) => response));
    },
    close() {
      closed = true;
      registration?.close();
      resources.close();
    },
  };
}

async function prefer(
  { connection }: DeviceEndpoint,
  wish: {
    readonly available: readonly string[];
    readonly included: readonly string[];
    readonly count: number;
  },
): Promise<readonly string[]> {
  const request = {
    available_deviceIDs: wish.available,
    must_include_deviceIDs: wish.included,
    allocation_size: wish.count,
  };
  try {
    const { container_responses: responses } = await connection.call('GetPreferredAllocation', {
      container_requests: [request],
    });
    return responses[0]?.deviceIDs ?? [];
  } catch (cause) {
    if (!(cause instanceof PluginError)) throw cause;
    throw new PluginError(`device plugin GetPreferredAllocation rpc failed with err: ${cause.message}`, {
      cause,
    });
  }
}

function unsupported(version: string): string {
  return `requested API version "${version}" is not supported by kubelet. Supported version is ["${DEVICE_PLUGIN_VERSION}"]`;
}

function invalidName(resource: string): string {
  return `the ResourceName "${resource}" is invalid`;
}
