import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import type { PluginSwitches } from '../server/admission/select-plugins.ts';
import { machineRoutes } from '../network/machine-routes.ts';
import type { Ipv4Range } from '../base/ipv4.ts';
import { formatNetworks, overlaps, parseNetworks, type Networks } from './cidr.ts';
import { askedIpv6Networks, localIpv6Networks, requireIpv6, type Ipv6Networks } from './ipv6-networks.ts';
import { claimNetwork } from './claim-network.ts';
import { ClusterError } from './cluster-error.ts';
import { planNodes, readNodes, type PlannedNode } from './planned-nodes.ts';
import { isRunning, listRecords, readRecord } from './cluster-record.ts';
import type { ClusterRecord } from './cluster-record.ts';
import type { Home } from './home.ts';

export type RuntimeChoice = 'auto' | 'native' | 'process' | 'cri';

/** When the API of volume snapshots comes: at the start, with the first claim, or from somebody else. */
export type SnapshotTime = 'start' | 'claim' | 'never';

/** What the person asked for. */
export interface UpOptions {
  readonly name: string;
  /** Default: `data/NAME` in Kanoe's home. */
  readonly dataDirectory?: string;
  /** 0: any free port. Absent: the port of last time, else 6443, else any free one. */
  readonly port?: number;
  /** Address of this machine on which the API server listens beside loopback; `0.0.0.0` is all of them. */
  readonly listen?: string;
  /** The address by which nodes elsewhere know this machine. Absent: that of `listen`. */
  readonly advertiseAddress?: string;
  /** 0: a control plane only. Absent: those of last time, or one. */
  readonly nodes?: number;
  /** Nodes beside those that only pretend. */
  readonly simulated?: SimulatedOptions;
  /** kube-controller-manager's syntax. */
  readonly controllers: string;
  /** Also serve the beta versions that Kubernetes has removed. */
  readonly legacyApis?: boolean;
  /** APIs to serve that are off by default, in kube-apiserver's syntax. */
  readonly runtimeConfig?: readonly string[];
  /** Feature gates, in Kubernetes's syntax. */
  readonly featureGates?: readonly string[];
  /** Serve what nodes and pods use as `metrics.k8s.io`. */
  readonly metricsApi: boolean;
  /** Make a storage class for claims that name none. Default: on, where there are nodes. */
  readonly defaultStorageClass?: boolean;
  /** When snapshots of volumes (`snapshot.storage.k8s.io`) begin to be served. Default: with the first claim, where there are nodes. */
  readonly volumeSnapshots?: SnapshotTime;
  /** Serve Ingresses. Default: on, where there are nodes. */
  readonly ingress?: boolean;
  /** Install the kinds of the Gateway API. Default: on, where Ingresses are served. */
  readonly gatewayApi?: boolean;
  /** Admission plug-ins that run, or do not, unlike kube-apiserver's defaults. */
  readonly admissionPlugins?: PluginSwitches;
  /** `10.96.0.0/16`, or `10.96.0.0/16,fd00:10:96::/112` for a cluster of two families. */
  readonly serviceCidr?: string;
  readonly podCidr?: string;
  /** Two families, with IPv6 networks of its own choice where none are given. */
  readonly dualStack?: boolean;
  readonly runtime: RuntimeChoice;
  /** Where the `cri` runtime listens. */
  readonly criEndpoints?: CriEndpoints;
  /** Registry host → URL. */
  readonly mirrors: ReadonlyMap<string, string>;
  /** When nodes that are silent count as lost, and for how long pods stay on them. */
  readonly nodeLoss?: NodeLossOptions;
  readonly audit?: AuditOptions;
  /** Path of an `AuthenticationConfiguration`. */
  readonly authenticationConfig?: string;
  /** Path of the kubeconfig of a token webhook. */
  readonly tokenWebhookConfig?: string;
  /** Path of a `KubeSchedulerConfiguration`. */
  readonly schedulerConfig?: string;
  /** Makes the scheduler's choices among equally good nodes repeat themselves. */
  readonly schedulerSeed?: number;
  /** How the nodes of this machine are configured. */
  readonly kubelet?: KubeletOptions;
}

/** Path of a `KubeletConfiguration`, and flags of the kubelet's that win over it. */
export interface KubeletOptions {
  readonly configFile?: string;
  readonly flags: readonly (readonly [name: string, value: string])[];
}

/** Addresses of a container runtime (`unix:///run/…`), for containers and for images. */
export interface CriEndpoints {
  readonly runtime: string;
  readonly images: string;
}

/** Simulated nodes: how many there are to be, what each of them offers, and what decides chance. */
export interface SimulatedOptions {
  readonly count: number;
  /** By resource name; what is not named is KWOK's. */
  readonly capacity: Readonly<Record<string, string>>;
  /** Nodes are spread over these. */
  readonly zones: readonly string[];
  readonly tainted: boolean;
  readonly seed: string;
}

/** What is absent is Kubernetes's default. */
export interface NodeLossOptions {
  /** kube-controller-manager's `--node-monitor-grace-period`. */
  readonly monitorGraceMs?: number;
  /** kube-controller-manager's `--node-startup-grace-period`. */
  readonly startupGraceMs?: number;
  /** kube-apiserver's `--default-not-ready-toleration-seconds`. */
  readonly notReady?: number;
  /** kube-apiserver's `--default-unreachable-toleration-seconds`. */
  readonly unreachable?: number;
}

/** An audit log: the policy's file, the log's (`-` is standard output), and how the log is rotated. */
export interface AuditOptions {
  readonly policyFile: string;
  readonly logPath: string;
  readonly maxBytes: number;
  readonly maxBackups: number;
  readonly maxAgeDays: number;
}

/** What stays the same for the life of a data directory; kept in it as `cluster.json`. */
interface ClusterIdentity {
  /** Version of the data directory's layout. */
  readonly format: number;
  readonly id: string;
  /** With a comma and an IPv6 network behind it in a cluster of two families. */
  readonly podCidr: string;
  readonly serviceCidr: string;
}

/** A cluster that is about to start: everything decided, nothing started. */
export interface ClusterPlan {
  readonly name: string;
  readonly id: string;
  readonly dataDirectory: string;
  readonly runDirectory: string;
  readonly podCidr: Ipv4Range;
  readonly serviceCidr: Ipv4Range;
  /** Absent: pods and services have IPv4 addresses only. */
  readonly ipv6?: Ipv6Networks;
  readonly port: number;
  /** Where the API server listens beside loopback, and how nodes elsewhere know this machine; absent: loopback only. */
  readonly outside?: OutsideAddress;
  /** The nodes of this machine that it is to have. */
  readonly nodes: readonly PlannedNode[];
  /** Those that it had and is not to have any more. */
  readonly formerNodes: readonly PlannedNode[];
  /** How many there can be. */
  readonly nodeLimit: number;
  readonly previous: ClusterRecord | undefined;
}

const layoutFormat = 1;
const defaultPort = 6443;

/** Decides identity, networks and port. Throws `ALREADY_RUNNING`, `PORT_TAKEN`, `INVALID_OPTION` or `UNREADABLE`. */
export async function planCluster(
  home: Home,
  options: UpOptions & { readonly rootless?: object },
): Promise<ClusterPlan> {
  const previous = await readRecord(home, options.name);
  if (previous && (await isRunning(previous)))
    throw new ClusterError(
      'ALREADY_RUNNING',
      `cluster ${options.name} is already running (process ${previous.process?.pid}, ${previous.server ?? 'starting'}); \`kanoe down --name ${options.name}\` stops it`,
    );
  const dataDirectory = resolve(
    options.dataDirectory ?? previous?.dataDirectory ?? join(home.directory, 'data', options.name),
  );
  await refuseForeignData(home, options.name, dataDirectory);
  const identity = await ensureIdentity(home, dataDirectory, options);
  const port = await choosePort(options.port, previous?.server);
  const { ipv4: podCidr, ipv6: podCidr6 } = parseNetworks(identity.podCidr, '--pod-cidr');
  const { ipv4: serviceCidr, ipv6: serviceCidr6 } = parseNetworks(identity.serviceCidr, '--service-cidr');
  // The last two are for load balancers and for the nodes' own addresses.
  const nodeLimit = 2 ** (24 - podCidr.prefix) - 2;
  if (podCidr6 && options.runtime === 'cri')
    throw new ClusterError(
      'INVALID_OPTION',
      `cluster ${options.name} has IPv6 networks, and pods of a container runtime get IPv4 addresses only; start it with --runtime native, or make one with IPv4 networks`,
    );
  const known = await readNodes(dataDirectory);
  const nodes = planNodes(known, {
    cluster: options.name,
    count: options.nodes,
    former: previous?.process ? 'may run' : 'ended',
    limit: nodeLimit,
  });
  const kept = nodes.length === 0 ? known : nodes;
  return {
    name: options.name,
    id: identity.id,
    dataDirectory,
    runDirectory:
      process.getuid?.() === 0 && !options.rootless
        ? join('/run/kanoe', identity.id)
        : join(dataDirectory, 'run'),
    podCidr,
    serviceCidr,
    ...(podCidr6 && serviceCidr6 && { ipv6: { podCidr: podCidr6, serviceCidr: serviceCidr6 } }),
    port,
    ...outsideAddress(options),
    nodes,
    formerNodes: known.filter(({ name }) => !kept.some((node) => node.name === name)),
    nodeLimit,
    previous,
  };
}

/** Addresses by which nodes elsewhere reach this machine. */
export interface OutsideAddress {
  readonly listen: string;
  readonly advertise: string;
}

function outsideAddress({ listen, advertiseAddress }: UpOptions): { readonly outside?: OutsideAddress } {
  if (listen === undefined && advertiseAddress === undefined) return {};
  for (const [option, address] of [
    ['--listen', listen],
    ['--advertise-address', advertiseAddress],
  ] as const)
    if (address !== undefined && !isIPv4(address))
      throw new ClusterError('INVALID_OPTION', `${option} ${address} is not an IPv4 address`);
  const known = advertiseAddress ?? (listen === '0.0.0.0' ? machineAddresses()[0] : listen);
  if (known === undefined)
    throw new ClusterError(
      'INVALID_OPTION',
      'this machine has no address but loopback; say with --advertise-address how others reach it',
    );
  return { outside: { listen: listen ?? known, advertise: known } };
}

/** The IPv4 addresses of this machine but loopback. */
export function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flat()
    .flatMap((one) => (one?.family === 'IPv4' && !one.internal ? [one.address] : []));
}

/** Objects in a data directory name its nodes, and those bear the cluster's name. */
async function refuseForeignData(home: Home, name: string, dataDirectory: string): Promise<void> {
  const other = (await listRecords(home)).find(
    (record) => record.name !== name && record.dataDirectory === dataDirectory,
  );
  if (!other) return;
  const held = await isRunning(other);
  throw new ClusterError(
    held ? 'ALREADY_RUNNING' : 'INVALID_OPTION',
    `data directory ${dataDirectory} ${held ? `is held by process ${other.process?.pid}, which runs cluster ${other.name}` : `belongs to cluster ${other.name}`}; give another --data-dir, or --name ${other.name}`,
  );
}

async function ensureIdentity(
  home: Home,
  dataDirectory: string,
  options: UpOptions,
): Promise<ClusterIdentity> {
  const asked = {
    pod: options.podCidr === undefined ? undefined : parseNetworks(options.podCidr, '--pod-cidr'),
    service:
      options.serviceCidr === undefined ? undefined : parseNetworks(options.serviceCidr, '--service-cidr'),
  };
  if (asked.pod && asked.pod.ipv4.prefix > 22)
    throw new ClusterError(
      'INVALID_OPTION',
      `--pod-cidr ${options.podCidr} is too small: every node takes a /24, and the last two are for load balancers and the nodes themselves; use a /22 or larger`,
    );
  if (asked.service && asked.service.ipv4.prefix > 27)
    throw new ClusterError(
      'INVALID_OPTION',
      `--service-cidr ${options.serviceCidr} is too small: use a /27 or larger`,
    );
  if (asked.pod && asked.service && overlaps(asked.pod.ipv4, asked.service.ipv4))
    throw new ClusterError(
      'INVALID_OPTION',
      `--pod-cidr ${options.podCidr} and --service-cidr ${options.serviceCidr} overlap`,
    );
  const file = join(dataDirectory, 'cluster.json');
  const askedIpv6 = askedIpv6Networks(asked.pod, asked.service);
  const existing = await readIdentity(file, dataDirectory);
  if (existing) {
    if (options.dualStack && !existing.podCidr.includes(','))
      throw changed('--dual-stack', existing.podCidr, dataDirectory);
    const isAnother = (networks: Networks | undefined, cidr: string): boolean =>
      networks !== undefined &&
      formatNetworks(networks) !== (options.dualStack && !networks.ipv6 ? cidr.split(',')[0] : cidr);
    if (isAnother(asked.pod, existing.podCidr)) throw changed('--pod-cidr', existing.podCidr, dataDirectory);
    if (isAnother(asked.service, existing.serviceCidr))
      throw changed('--service-cidr', existing.serviceCidr, dataDirectory);
    return existing;
  }
  const taken = await takenNetworks(home, options.name);
  const service4 = asked.service?.ipv4;
  const pod = asked.pod?.ipv4 ?? (await claimNetwork(244, service4 ? [...taken, service4] : taken));
  const service = service4 ?? (await claimNetwork(96, [...taken, pod]));
  const id = randomBytes(3).toString('hex');
  const ipv6 = askedIpv6 ?? (options.dualStack ? localIpv6Networks(id) : undefined);
  if (ipv6 && options.nodes !== 0) await requireIpv6();
  const identity: ClusterIdentity = {
    format: layoutFormat,
    id,
    podCidr: formatNetworks({ ipv4: pod, ...(ipv6 && { ipv6: ipv6.podCidr }) }),
    serviceCidr: formatNetworks({ ipv4: service, ...(ipv6 && { ipv6: ipv6.serviceCidr }) }),
  };
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await chmod(dataDirectory, 0o700);
    await writeFile(`${file}.tmp`, `${JSON.stringify(identity)}\n`, { mode: 0o600 });
    await rename(`${file}.tmp`, file);
  } catch (error) {
    throw unusable(dataDirectory, error);
  }
  return identity;
}

async function readIdentity(file: string, dataDirectory: string): Promise<ClusterIdentity | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unusable(dataDirectory, error);
  }
  let identity: ClusterIdentity;
  try {
    identity = JSON.parse(text) as ClusterIdentity;
  } catch (error) {
    throw new ClusterError(
      'UNREADABLE',
      `${file} is damaged; restore the data directory from a backup, or start with another --data-dir`,
      { cause: error },
    );
  }
  if (identity.format > layoutFormat)
    throw new ClusterError(
      'UNREADABLE',
      `data directory ${dataDirectory} has format ${identity.format}, made by a newer Kanoe; this one reads up to ${layoutFormat}: use the newer Kanoe, or another --data-dir`,
    );
  return identity;
}

function unusable(dataDirectory: string, error: unknown): ClusterError {
  const message = error instanceof Error ? error.message : String(error);
  return new ClusterError(
    'UNREADABLE',
    `cannot use data directory ${dataDirectory}: ${message}; check its owner and mode, or give another --data-dir`,
    { cause: error },
  );
}

function changed(option: string, value: string, dataDirectory: string): ClusterError {
  return new ClusterError(
    'INVALID_OPTION',
    `${option} cannot change: the cluster in ${dataDirectory} was made with ${value}`,
  );
}

/** Networks of this machine and of its other clusters. */
async function takenNetworks(home: Home, name: string): Promise<readonly Ipv4Range[]> {
  const others = (await listRecords(home)).filter((record) => record.name !== name);
  return [
    ...others.flatMap(({ podCidr, serviceCidr }) => [
      parseNetworks(podCidr, 'podCidr').ipv4,
      parseNetworks(serviceCidr, 'serviceCidr').ipv4,
    ]),
    ...(await machineRoutes()).map(({ range }) => range),
  ];
}

async function choosePort(asked: number | undefined, previousServer: string | undefined): Promise<number> {
  if (asked === 0) return 0;
  if (asked !== undefined) {
    if (!(await portIsFree(asked)))
      throw new ClusterError(
        'PORT_TAKEN',
        `port ${asked} of 127.0.0.1 is taken by another process; give another --port, or --port 0 for a free one`,
      );
    return asked;
  }
  const last = previousServer ? Number(new URL(previousServer).port) : undefined;
  for (const candidate of [last, defaultPort])
    if (candidate && (await portIsFree(candidate))) return candidate;
  return 0;
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen({ host: '127.0.0.1', port }, () => probe.close(() => done(true)));
  });
}

/** The networks of a plan's pods and services: `10.96.0.0/16`, or with those of IPv6 behind them. */
export function networksOf({ podCidr, serviceCidr, ipv6 }: ClusterPlan): {
  readonly pods: string;
  readonly services: string;
} {
  return {
    pods: formatNetworks({ ipv4: podCidr, ...(ipv6 && { ipv6: ipv6.podCidr }) }),
    services: formatNetworks({ ipv4: serviceCidr, ...(ipv6 && { ipv6: ipv6.serviceCidr }) }),
  };
}
