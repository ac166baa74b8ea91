import { access, constants } from 'node:fs/promises';
import { ClusterError } from './cluster-error.ts';
import type { RuntimeChoice } from './plan-cluster.ts';

/** The runtime that a cluster will use and what that means on this machine. */
export interface ChosenRuntime {
  readonly name: 'native' | 'process';
  readonly limitations: readonly string[];
}

const needed = ['unshare', 'nsenter', 'mount', 'ip'];
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];

/** Decides what runs containers. Throws `RUNTIME_MISSING` when what was asked for cannot work here. */
export async function chooseRuntime(asked: RuntimeChoice): Promise<ChosenRuntime> {
  if (asked === 'cri')
    throw new ClusterError(
      'RUNTIME_MISSING',
      `--runtime ${asked} is not built yet; native and process are there`,
    );
  if (asked === 'process') return { name: 'process', limitations: [] };
  const missing = await whyNotNative();
  if (missing === undefined) return { name: 'native', limitations: [] };
  if (asked === 'native')
    throw new ClusterError('RUNTIME_MISSING', `--runtime native cannot work here: ${missing}`);
  return {
    name: 'process',
    limitations: [`containers run as plain processes without isolation: ${missing}`],
  };
}

async function whyNotNative(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `native containers need Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'native containers need root; run kanoe with sudo';
  const absent: string[] = [];
  for (const tool of needed) {
    const found = await Promise.all(
      folders.map((folder) =>
        access(`${folder}/${tool}`, constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!found.includes(true)) absent.push(tool);
  }
  return absent.length > 0 ? `${absent.join(', ')} (util-linux, iproute2) cannot be found` : undefined;
}
