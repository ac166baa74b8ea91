import { PluginError } from '../plugins/plugin-connection.ts';

export interface DeviceChoice {
  readonly resource: string;
  readonly count: number;
  /** Those that work; undefined when no plug-in has registered. */
  readonly healthy: readonly string[] | undefined;
  /** Given to containers, also those of the pod itself. */
  readonly inUse: ReadonlySet<string>;
  /** Of init containers of the pod that have ended by then. */
  readonly reusable: readonly string[];
  /** Asks the plug-in which it would rather give, out of these, those that must be among them included. */
  prefer?(available: readonly string[], included: readonly string[]): Promise<readonly string[]>;
}

/** Which devices a container gets. Throws `PluginError` with the kubelet's words. */
export async function chooseDevices(choice: DeviceChoice): Promise<readonly string[]> {
  const { resource, count, healthy, inUse, reusable } = choice;
  if (!healthy) throw new PluginError(`cannot allocate unregistered device ${resource}`);
  if (healthy.length === 0)
    throw new PluginError(`no healthy devices present; cannot allocate unhealthy devices ${resource}`);
  const reused = reusable.slice(0, count);
  const needed = count - reused.length;
  if (needed === 0) return reused;
  const available = healthy.filter((id) => !inUse.has(id));
  if (available.length < needed)
    throw new PluginError(
      `requested number of devices unavailable for ${resource}. Requested: ${needed}, Available: ${available.length}`,
    );
  const preferred = (await choice.prefer?.([...available, ...reused], reused)) ?? [];
  const wanted = preferred.filter((id) => available.includes(id));
  return [...reused, ...new Set([...wanted, ...available])].slice(0, count);
}
