import { access, constants } from 'node:fs/promises';
import { ClusterError } from './cluster-error.ts';
import type { CriEndpoints, UpOptions } from './plan-cluster.ts';

/** The runtime that a cluster will use and what that means on this machine. */
export interface ChosenRuntime {
  readonly name: 'native' | 'process' | 'cri';
  readonly limitations: readonly string[];
  /** Of `cri`. */
  readonly endpoints?: CriEndpoints;
}

const needed = ['unshare', 'nsenter', 'mount', 'ip'];
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];

/** Decides what runs containers. Throws `RUNTIME_MISSING` when what was asked for cannot work here. */
export async function chooseRuntime(
  options: Pick<UpOptions, 'runtime' | 'criEndpoints' | 'nodes'>,
): Promise<ChosenRuntime> {
  const asked = options.runtime;
  if (options.criEndpoints) return criRuntime(options.criEndpoints, options.nodes ?? 1);
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

async function criRuntime(endpoints: CriEndpoints, nodes: number): Promise<ChosenRuntime> {
  const refuse = (why: string): never => {
    throw new ClusterError('RUNTIME_MISSING', `--runtime cri cannot work here: ${why}`);
  };
  const missing = await whyNotNative();
  if (missing !== undefined) refuse(missing);
  if (nodes > 1) refuse('a container runtime is one node; leave --nodes out, or use --runtime native');
  for (const endpoint of [endpoints.runtime, endpoints.images]) {
    const path = endpoint.replace(/^unix:(\/\/)?/, '');
    if (!path.startsWith('/'))
      refuse(`${endpoint} is no address such as unix:///run/containerd/containerd.sock`);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere)
      refuse(
        `there is no socket ${path}: start the container runtime (containerd), or name the socket of the one that runs with --container-runtime-endpoint`,
      );
  }
  return { name: 'cri', limitations: [], endpoints };
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
