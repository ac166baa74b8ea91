import type { Clock } from '../../base/clock.ts';
import { isKubeletPath, kubeletPath, machinePath } from '../plugins/kubelet-paths.ts';
import { connectPlugin, PluginError, type PluginConnection } from '../plugins/plugin-connection.ts';
import { PluginRefused, type PluginHandler } from '../plugins/plugin-registry.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { nodeService, type CsiCalls, type NodeInfo } from './csi-protocol.ts';

/** A CSI driver that has registered with the node. */
export interface CsiDriverOnNode {
  readonly name: string;
  readonly info: NodeInfo;
  /** Its node service, which throws `VolumeError`. */
  readonly connection: Pick<PluginConnection<CsiCalls>, 'call' | 'close'>;
  /** Numbers of `nodeAbility`. */
  readonly abilities: ReadonlySet<number>;
  /** A path of the machine in the driver's words. */
  pathFor(path: string): string;
}

export interface CsiDrivers extends PluginHandler {
  driver(name: string): CsiDriverOnNode | undefined;
  close(): void;
}

export interface CsiDriversOptions {
  /** The node's. */
  readonly directory: string;
  readonly clock: Clock;
  /** Says a driver is there or gone, before the driver is told so. Throws when that cannot be. */
  onChange(drivers: readonly CsiDriverOnNode[]): Promise<void>;
}

/** The CSI drivers of a node. */
export function createCsiDrivers(options: CsiDriversOptions): CsiDrivers {
  const { clock, directory } = options;
  const drivers = new Set<CsiDriverOnNode>();
  let changing: Promise<void> = Promise.resolve();

  /** One at a time, each with what holds then. */
  function announce(): Promise<void> {
    const result = changing.then(() => options.onChange([...drivers]));
    changing = result.catch(() => undefined);
    return result;
  }

  async function connect(name: string, endpoint: string): Promise<CsiDriverOnNode> {
    const socket = machinePath(endpoint, directory);
    const connection = await connectPlugin<CsiCalls>({ socket, service: nodeService, clock });
    try {
      const info = await connection.call('NodeGetInfo', {});
      const { capabilities } = await connection.call('NodeGetCapabilities', {});
      return {
        name,
        info,
        connection: {
          call: (method, request) => connection.call(method, request).catch(failVolume),
          close: () => connection.close(),
        },
        abilities: new Set(capabilities.map(({ rpc }) => rpc?.type ?? 0)),
        pathFor: (path) => (isKubeletPath(endpoint) ? kubeletPath(path, directory) : path),
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  return {
    async register({ name, endpoint, supported_versions: versions }) {
      if (!versions.some((version) => /^v?1(\.|$)/.test(version)))
        throw new PluginRefused(
          `none of the versions ${versions.join(', ')} is supported: the node speaks 1.x`,
        );
      const driver = await connect(name, endpoint);
      drivers.add(driver);
      const forget = (): void => {
        drivers.delete(driver);
        driver.connection.close();
      };
      try {
        await announce();
      } catch (error) {
        forget();
        throw error;
      }
      return {
        async remove() {
          forget();
          await announce();
        },
      };
    },
    driver: (name) => [...drivers].find((driver) => driver.name === name),
    close() {
      for (const { connection } of drivers) connection.close();
    },
  };
}

function failVolume(error: unknown): never {
  throw error instanceof PluginError ? new VolumeError(error.message, { cause: error }) : error;
}
