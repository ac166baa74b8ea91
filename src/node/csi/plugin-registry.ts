import { watch, type FSWatcher } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock.ts';
import { isMissing } from '../missing-file.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { connectCsi, type CsiConnection } from './csi-connection.ts';
import type { NodeInfo } from './csi-protocol.ts';
import { isKubeletPath, kubeletPath, machinePath } from './kubelet-paths.ts';

/** A CSI driver that has registered with the node. */
export interface CsiDriverOnNode {
  readonly name: string;
  readonly info: NodeInfo;
  readonly connection: CsiConnection;
  /** Numbers of `nodeAbility`. */
  readonly abilities: ReadonlySet<number>;
  /** A path of the machine in the driver's words. */
  pathFor(path: string): string;
}

export interface PluginRegistryOptions {
  /** The node's: sockets are looked for in `plugins_registry` in it. */
  readonly directory: string;
  readonly clock: Clock;
  /** Says a driver is there or gone, before the driver is told so. Throws when that cannot be. */
  onChange(drivers: readonly CsiDriverOnNode[]): Promise<void>;
  onError(error: unknown): void;
}

export interface PluginRegistry {
  driver(name: string): CsiDriverOnNode | undefined;
  close(): void;
}

interface Plugin {
  readonly inode: number;
  driver: CsiDriverOnNode | undefined;
}

const RETRIES_MS = [50, 200, 500, 1000, 2000, 5000, 10_000];

/** Registers the plug-ins whose sockets appear in the node's folder, and forgets those whose sockets go (kubelet's plug-in watcher). */
export async function startPluginRegistry(options: PluginRegistryOptions): Promise<PluginRegistry> {
  const { clock, directory, onError } = options;
  const folder = join(directory, 'plugins_registry');
  const plugins = new Map<string, Plugin>();
  const closing = new AbortController();
  let scanning: Promise<void> = Promise.resolve();
  let changing: Promise<void> = Promise.resolve();
  await mkdir(folder, { recursive: true, mode: 0o750 });
  await mkdir(join(directory, 'plugins'), { recursive: true, mode: 0o750 });
  const watcher: FSWatcher = watch(folder, () => scan());
  watcher.on('error', onError);
  watcher.unref();
  scan();

  function scan(): void {
    scanning = scanning.then(rescan).catch(onError);
  }

  async function rescan(): Promise<void> {
    if (closing.signal.aborted) return;
    const found = await sockets(folder);
    for (const [path, plugin] of plugins) {
      if (found.get(path) === plugin.inode) continue;
      plugins.delete(path);
      await forget(plugin);
    }
    for (const [path, inode] of found) {
      if (plugins.has(path)) continue;
      const plugin: Plugin = { inode, driver: undefined };
      plugins.set(path, plugin);
      void register(path, plugin);
    }
  }

  async function register(path: string, plugin: Plugin): Promise<void> {
    for (const ms of RETRIES_MS) {
      if (closing.signal.aborted || plugins.get(path) !== plugin) return;
      try {
        await registerOnce(path, plugin);
        return;
      } catch (error) {
        if (!(error instanceof VolumeError)) {
          onError(error);
          return;
        }
        await sleep(clock, ms, closing.signal).catch(() => undefined);
      }
    }
  }

  async function registerOnce(path: string, plugin: Plugin): Promise<void> {
    const registrar = await connectCsi(path, clock);
    try {
      const { type, name, endpoint, supported_versions: versions } = await registrar.pluginInfo();
      if (type !== 'CSIPlugin') return;
      if (!versions.some((version) => /^v?1(\.|$)/.test(version))) {
        await registrar.registered(
          `none of the versions ${versions.join(', ')} is supported: the node speaks 1.x`,
        );
        return;
      }
      const driver = await connectDriver(name, endpoint === '' ? path : endpoint);
      plugin.driver = driver;
      try {
        await announce();
      } catch (error) {
        plugin.driver = undefined;
        driver.connection.close();
        await registrar.registered(error instanceof Error ? error.message : String(error));
        throw error;
      }
      await registrar.registered(undefined);
    } finally {
      registrar.close();
    }
  }

  async function connectDriver(name: string, endpoint: string): Promise<CsiDriverOnNode> {
    const connection = await connectCsi(machinePath(endpoint, directory), clock);
    try {
      const info = await connection.call('NodeGetInfo', {});
      const { capabilities } = await connection.call('NodeGetCapabilities', {});
      return {
        name,
        info,
        connection,
        abilities: new Set(capabilities.map(({ rpc }) => rpc?.type ?? 0)),
        pathFor: (path) => (isKubeletPath(endpoint) ? kubeletPath(path, directory) : path),
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async function forget(plugin: Plugin): Promise<void> {
    plugin.driver?.connection.close();
    if (plugin.driver) await announce();
  }

  /** One at a time, each with what holds then. */
  function announce(): Promise<void> {
    const result = changing.then(() => options.onChange(registered()));
    changing = result.catch(() => undefined);
    return result;
  }

  function registered(): readonly CsiDriverOnNode[] {
    return [...plugins.values()].flatMap(({ driver }) => driver ?? []);
  }

  return {
    driver: (name) => registered().find((driver) => driver.name === name),
    close() {
      closing.abort();
      watcher.close();
      for (const { driver } of plugins.values()) driver?.connection.close();
    },
  };
}

/** Sockets in a folder and the folders in it, with their inodes; names that begin with a dot do not count. */
async function sockets(folder: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.split('/').some((part) => part.startsWith('.'))) continue;
    const path = join(folder, name);
    try {
      const { ino, ctimeMs } = await stat(path).then((one) =>
        one.isSocket() ? one : { ino: 0, ctimeMs: 0 },
      );
      if (ino !== 0) found.set(path, ino * 1000 + Math.floor(ctimeMs % 1000));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return found;
}
