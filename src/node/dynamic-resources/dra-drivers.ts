import { createBackoff } from '../../base/backoff.ts';
import { sleep, type Clock, type Timer } from '../../base/clock.ts';
import { resourceslices } from '../../api/resource/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { machinePath } from '../plugins/kubelet-paths.ts';
import { connectPlugin, PluginError, type PluginConnection } from '../plugins/plugin-connection.ts';
import { PluginRefused, type PluginHandler } from '../plugins/plugin-registry.ts';
import { createDeviceHealths, type DeviceHealth } from './device-healths.ts';
import { draServices, type DraCalls, type DraDevice } from './dra-protocol.ts';

/** A driver for devices that has registered with the node. */
export type DraDriver = Pick<PluginConnection<DraCalls>, 'call' | 'close'>;

export interface DraDrivers extends PluginHandler {
  /** The one that registered last under a name. Throws `PluginError`. */
  driver(name: string): DraDriver;
  /** How a device is, as its driver has told within the time that this holds. */
  health(driver: string, device: DraDevice): DeviceHealth;
  /** These were there before the node's agent started: what they offer goes, too, unless they come back. */
  expect(names: readonly string[]): void;
  close(): void;
}

export interface DraDriversOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  /** The node's. */
  readonly directory: string;
  /** A driver is there. */
  onRegistered(name: string): Promise<void>;
  /** A driver is gone, and so are its ResourceSlices of this node. */
  onWiped(name: string): Promise<void>;
  /** Devices have become better or worse. */
  onHealth(): void;
  onError(error: unknown): void;
}

const CALL_TIMEOUT_MS = 45_000;
/** How long a driver may be away before its devices are taken off the list (upstream's wiping delay). */
const WIPING_DELAY_MS = 30_000;

/** The drivers of dynamic resources on a node. */
export function createDraDrivers(options: DraDriversOptions): DraDrivers {
  const { client, clock, nodeName, directory, onError } = options;
  const drivers = new Map<string, { readonly endpoint: string; readonly connection: DraDriver }[]>();
  const wipes = new Map<string, Timer>();
  const closing = new AbortController();
  const healths = createDeviceHealths(clock, () => options.onHealth());

  async function wipe(name: string): Promise<void> {
    const fieldSelector = `spec.nodeName=${nodeName},spec.driver=${name}`;
    const backoff = createBackoff({ baseMs: 1000, maxMs: 300_000 });
    for (;;) {
      try {
        await client.for(resourceslices).deleteCollection({ fieldSelector });
        await options.onWiped(name);
        return;
      } catch (error) {
        onError(error);
        await sleep(clock, backoff.next(), closing.signal);
      }
      if (drivers.has(name)) return;
    }
  }

  function wipeLater(name: string): void {
    if (closing.signal.aborted || drivers.has(name) || wipes.has(name)) return;
    const timer = clock.after(WIPING_DELAY_MS, () => {
      wipes.delete(name);
      wipe(name).catch((error: unknown) => closing.signal.aborted || onError(error));
    });
    wipes.set(name, timer);
  }

  return {
    async register({ name, endpoint, supported_versions: offered }) {
      const problem = `invalid supported gRPC versions of DRA driver plugin ${name} at endpoint ${endpoint}:`;
      if (offered.length === 0)
        throw new PluginRefused(`${problem} empty list of supported gRPC services (aka supported versions)`);
      const chosen = offered.find((version) => draServices.has(version));
      const service = draServices.get(chosen ?? '');
      if (!service)
        throw new PluginRefused(
          `${problem} none of services supported by the plugin (${quoted(offered)}) are supported by the kubelet (${quoted([...draServices.keys()])})`,
        );
      const others = drivers.get(name) ?? [];
      if (others.some((other) => other.endpoint === endpoint))
        throw new PluginRefused(`endpoint ${endpoint} already registered for DRA driver plugin ${name}`);
      const socket = machinePath(endpoint, directory);
      const connection = await connectPlugin<DraCalls>({
        socket,
        service,
        clock,
        timeoutMs: CALL_TIMEOUT_MS,
      });
      const driver = { endpoint, connection };
      const health = await healths.follow(name, socket);
      drivers.set(name, [...(drivers.get(name) ?? []), driver]);
      wipes.get(name)?.cancel();
      wipes.delete(name);
      await options.onRegistered(name);
      return {
        async remove() {
          connection.close();
          health.close();
          const left = (drivers.get(name) ?? []).filter((other) => other !== driver);
          if (left.length > 0) drivers.set(name, left);
          else drivers.delete(name);
          wipeLater(name);
        },
      };
    },
    driver(name) {
      const found = drivers.get(name)?.at(-1);
      if (!found) throw new PluginError(`DRA driver ${name} is not registered`);
      return found.connection;
    },
    health: (name, device) => healths.of(name, device),
    expect(names) {
      for (const name of names) wipeLater(name);
    },
    close() {
      closing.abort();
      for (const timer of wipes.values()) timer.cancel();
      healths.close();
      for (const { connection } of [...drivers.values()].flat()) connection.close();
    },
  };
}

function quoted(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}
