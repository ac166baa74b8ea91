import { watch, type FSWatcher } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock.ts';
import { isMissing } from '../missing-file.ts';
import { connectPlugin, PluginError } from './plugin-connection.ts';
import { registrationService, type PluginInfo, type RegistrationCalls } from './registration-protocol.ts';

/** What a plug-in is to the part of the node that uses it. */
export interface RegisteredPlugin {
  /** The plug-in is gone. */
  remove(): Promise<void>;
}

/** A part of the node that uses plug-ins of one type. */
export interface PluginHandler {
  /**
   * Takes a plug-in. Throws `PluginRefused` when it never will, `PluginError` when it may later; what else it throws is told to the
   * plug-in, too.
   */
  register(plugin: PluginInfo): Promise<RegisteredPlugin>;
}

/** A plug-in that the node does not take; the message is for the plug-in. */
export class PluginRefused extends Error {
  override readonly name = 'PluginRefused';
}

export interface PluginRegistryOptions {
  /** The node's: sockets are looked for in `plugins_registry` in it. */
  readonly directory: string;
  readonly clock: Clock;
  /** By the type of plug-in, such as `CSIPlugin`. */
  readonly handlers: Readonly<Record<string, PluginHandler>>;
  onError(error: unknown): void;
}

interface Plugin {
  readonly inode: number;
  registered: RegisteredPlugin | undefined;
}

const RETRIES_MS = [50, 200, 500, 1000, 2000, 5000, 10_000];

/** Registers the plug-ins whose sockets appear in the node's folder, and forgets those whose sockets go (kubelet's plug-in watcher). */
export async function startPluginRegistry(options: PluginRegistryOptions): Promise<{ close(): void }> {
  const { clock, directory, handlers, onError } = options;
  const folder = join(directory, 'plugins_registry');
  const plugins = new Map<string, Plugin>();
  const closing = new AbortController();
  let scanning: Promise<void> = Promise.resolve();
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
      await plugin.registered?.remove();
    }
    for (const [path, inode] of found) {
      if (plugins.has(path)) continue;
      const plugin: Plugin = { inode, registered: undefined };
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
        if (!(error instanceof PluginError)) {
          onError(error);
          return;
        }
        await sleep(clock, ms, closing.signal).catch(() => undefined);
      }
    }
  }

  async function registerOnce(path: string, plugin: Plugin): Promise<void> {
    const registrar = await connectPlugin<RegistrationCalls>({
      socket: path,
      service: registrationService,
      clock,
    });
    const answer = (error: string): Promise<object> =>
      registrar.call('NotifyRegistrationStatus', { plugin_registered: error === '', error });
    try {
      const info = await registrar.call('GetInfo', {});
      const handler = handlers[info.type];
      if (!handler) return;
      try {
        plugin.registered = await handler.register({
          ...info,
          endpoint: info.endpoint === '' ? path : info.endpoint,
        });
      } catch (error) {
        if (error instanceof PluginError) throw error;
        await answer(error instanceof Error ? error.message : String(error));
        if (error instanceof PluginRefused) return;
        throw error;
      }
      if (plugins.get(path) !== plugin) await plugin.registered.remove();
      await answer('');
    } finally {
      registrar.close();
    }
  }

  return {
    close() {
      closing.abort();
      watcher.close();
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
