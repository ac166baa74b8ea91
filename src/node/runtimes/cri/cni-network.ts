import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../container-runtime.ts';
import type { CriConnection } from './connect-cri.ts';

export interface CniNetworkOptions {
  readonly connection: CriConnection;
  readonly endpoint: string;
  readonly clusterId: string;
  /** The node's pods: `10.244.0.0/24`. */
  readonly podCidr: string;
  readonly gateway: string;
  /** Where leased addresses are written down; gone after a reboot, as the pods are. */
  readonly leaseDirectory: string;
  readonly clock: Clock;
}

/** What the runtime says of itself. */
export interface RuntimeCondition {
  /** Why it cannot run pods; absent when it can. */
  readonly problem?: string;
  /** Why it cannot connect pods to a network; absent when it can. */
  readonly networkProblem?: string;
}

const patienceMs = 10_000;
const pollMs = 100;
const defaultFolder = '/etc/cni/net.d';

/** The conditions `RuntimeReady` and `NetworkReady` of the runtime's status. */
export async function runtimeCondition(connection: CriConnection): Promise<RuntimeCondition> {
  const { status } = await connection.call('Status', { verbose: false });
  const problemOf = (type: string): string | undefined => {
    const condition = status?.conditions.find((one) => one.type === type);
    if (condition?.status === true) return undefined;
    return condition?.message || condition?.reason || `the runtime does not report ${type}`;
  };
  const [problem, networkProblem] = [problemOf('RuntimeReady'), problemOf('NetworkReady')];
  return {
    ...(problem !== undefined && { problem }),
    ...(networkProblem !== undefined && { networkProblem }),
  };
}

/**
 * Sees to it that the runtime can connect pods. Where its CNI configuration is empty, the cluster's own is put there, with
 * plug-ins that every distribution packages (`ptp`, `host-local`); whoever has one already keeps it. Throws `NETWORK` and says
 * what to do.
 */
export async function ensureCniNetwork(options: CniNetworkOptions): Promise<void> {
  const { connection, clock, endpoint } = options;
  const { problem, networkProblem } = await runtimeCondition(connection);
  if (problem !== undefined)
    throw new RuntimeError('FAILED', `the container runtime at ${endpoint} is not ready: ${problem}`);
  const folders = await cniFolders(connection);
  const file = conflistFile(options.clusterId);
  const present = await readdir(folders.configurations).catch((): string[] => []);
  const other = present.find((name) => ownFile.test(name) && name !== file);
  if (other !== undefined)
    throw new RuntimeError(
      'NETWORK',
      `the container runtime at ${endpoint} has the network of another cluster (${join(folders.configurations, other)}): \`kanoe down\` that cluster, or remove the file if it is gone, or give this cluster a runtime of its own`,
    );
  if (networkProblem === undefined && !present.includes(file)) return;
  const missing = folders.plugins === undefined ? [] : await missingPlugins(folders.plugins);
  if (missing.length > 0)
    throw new RuntimeError(
      'NETWORK',
      `the container runtime at ${endpoint} cannot connect pods: ${missing.join(', ')} cannot be found in ${folders.plugins}, where it looks for CNI plug-ins: install containernetworking-plugins, or set bin_dir in its configuration`,
    );
  await mkdir(folders.configurations, { recursive: true });
  await writeFile(join(folders.configurations, file), `${JSON.stringify(conflist(options), undefined, 2)}\n`);
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const now = await runtimeCondition(connection);
    if (now.networkProblem === undefined) return;
    if (clock.monotonic() > deadline)
      throw new RuntimeError(
        'NETWORK',
        `the container runtime at ${endpoint} cannot connect pods: ${now.networkProblem}. It was given a configuration in ${folders.configurations}; if it looks elsewhere, set conf_dir in its own configuration`,
      );
    await sleep(clock, pollMs);
  }
}

/** Takes the cluster's configuration away from the runtime; idempotent. */
export async function removeCniNetwork(connection: CriConnection, clusterId: string): Promise<void> {
  const { configurations } = await cniFolders(connection);
  await rm(join(configurations, conflistFile(clusterId)), { force: true });
}

const ownFile = /^10-kanoe-[0-9a-f]+\.conflist$/;

function conflistFile(clusterId: string): string {
  return `10-kanoe-${clusterId}.conflist`;
}

async function missingPlugins(folder: string): Promise<readonly string[]> {
  const present = new Set(await readdir(folder).catch((): string[] => []));
  return ['ptp', 'host-local', 'loopback'].filter((name) => !present.has(name));
}

interface CniFolders {
  readonly configurations: string;
  readonly plugins?: string;
}

/** containerd tells its configuration, as JSON, to those who ask for more words. */
async function cniFolders(connection: CriConnection): Promise<CniFolders> {
  const { cni } = await runtimeConfiguration(connection);
  return {
    configurations: cni?.confDir ?? defaultFolder,
    ...(cni?.binDir !== undefined && { plugins: cni.binDir }),
  };
}

interface RuntimeConfiguration {
  readonly cni?: { readonly confDir?: string; readonly binDir?: string };
  readonly sandboxImage?: string;
  readonly containerd?: {
    readonly defaultRuntimeName?: string;
    readonly runtimes?: Readonly<
      Record<string, { readonly options?: { readonly SystemdCgroup?: boolean } | null }>
    >;
  };
}

async function runtimeConfiguration(connection: CriConnection): Promise<RuntimeConfiguration> {
  const { info } = await connection.call('Status', { verbose: true });
  return info['config'] === undefined ? {} : (JSON.parse(info['config']) as RuntimeConfiguration);
}

/** Whether the runtime's containers get their cgroups from systemd. */
export async function usesSystemdCgroups(connection: CriConnection): Promise<boolean> {
  const { containerd } = await runtimeConfiguration(connection);
  const own = containerd?.runtimes?.[containerd.defaultRuntimeName ?? 'runc'];
  return own?.options?.SystemdCgroup === true;
}

/** The image of the container that holds a sandbox; only containerd says which it is. */
export async function sandboxImageOf(connection: CriConnection): Promise<string | undefined> {
  return (await runtimeConfiguration(connection)).sandboxImage;
}

/**
 * Sees to it that the image of the container that holds a sandbox is there, be it one that `make` provides under its name, so
 * that nothing has to be pulled. Throws `NOT_FOUND` and says what to do.
 */
export async function ensureSandboxImage(
  connection: CriConnection,
  sandboxImage: string,
  make: (name: string) => Promise<boolean>,
): Promise<void> {
  const image = { image: sandboxImage };
  const found = await connection.call('ImageStatus', { image, verbose: false });
  if (found.image || (await make(sandboxImage))) return;
  try {
    await connection.call('PullImage', { image });
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new RuntimeError(
      'NOT_FOUND',
      `the runtime's image for sandboxes is missing and cannot be pulled: ${error.message}. Import ${sandboxImage} (ctr --namespace k8s.io images import FILE), or name another as sandbox_image in the runtime's configuration`,
      { cause: error },
    );
  }
}

/**
 * Each pod on a link of its own, routed by the machine: what pods say to each other passes the machine's packet filter. Traffic
 * to the world is masqueraded by the cluster's own rules, and host ports are theirs too.
 */
function conflist({ clusterId, podCidr, gateway, leaseDirectory }: CniNetworkOptions): object {
  return {
    cniVersion: '0.4.0',
    name: `kanoe-${clusterId}`,
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: leaseDirectory,
          ranges: [[{ subnet: podCidr, gateway }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
}
