import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatIpv4, formatIpv4Range, ipv4Subrange, type Ipv4Range } from '../../base/ipv4.ts';
import { formatIpv6, formatIpv6Range, parseIpv6Range } from '../../base/ipv6.ts';
import { pairedAddress, pairedRange } from '../../base/paired-ranges.ts';
import { ensureClusterLink, requireRange } from '../cluster-link.ts';
import { createPodNetwork, type NodePodNetwork } from '../create-pod-network.ts';
import { ipv6SideOf, type Ipv6Networks, type Ipv6Side } from '../ipv6-side.ts';
import { loadBalancerRange } from '../load-balancer-range.ts';
import { removeNetwork } from '../remove-network.ts';
import { runTool } from '../run-tool.ts';

/** A process in a pod (or, without one, on the host) that listens and connects when told. */
export interface TestPod {
  readonly name: string;
  readonly ip: string;
  listen(protocol: 'tcp' | 'udp', port: number): Promise<void>;
  /** What the other side answers, or the error's code. */
  tcp(
    host: string,
    port: number,
    options?: { readonly text?: string; readonly size?: number },
  ): Promise<string>;
  udp(
    host: string,
    port: number,
    options?: { readonly text?: string; readonly from?: number },
  ): Promise<string>;
  /** Opens a connection that stays, to what {@link listen} made. */
  open(host: string, port: number): Promise<string>;
  /** Sends text over the connection that stays, and gives what is echoed, or the error's code. */
  talk(text: string): Promise<string>;
}

/** Real links, addresses and network namespaces for a test, all removed by `remove`. */
export interface PodLab {
  readonly clusterId: string;
  readonly podRange: Ipv4Range;
  readonly serviceRange: Ipv4Range;
  readonly balancerRange: Ipv4Range;
  /** Of a lab of two families; the addresses of its pods and {@link addresses} are those of IPv6. */
  readonly ipv6?: Ipv6Side;
  readonly addresses: LabAddresses;
  readonly host: TestPod;
  addPod(name: string, node: number): Promise<TestPod>;
  /** A machine outside the cluster, at `.2` of a network of three octets whose `.1` is this machine. */
  addStranger(network: string): Promise<TestPod>;
  remove(): Promise<void>;
}

/** Addresses of the family that a lab is about. */
export interface LabAddresses {
  readonly family: 'IPv4' | 'IPv6';
  readonly loopback: string;
  /** That of the cluster's link. */
  readonly gateway: string;
  /** One that belongs to nobody. */
  readonly external: string;
  service(number: number): string;
  balancer(number: number): string;
  /** The range of a node's pods. */
  node(number: number): string;
}

/** A name and ranges that no other test, and hardly any cluster on this machine, has. */
export function randomIdentity(): {
  readonly clusterId: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
} {
  const second = 130 + 2 * claimedRange();
  const clusterId = randomBytes(3).toString('hex');
  return { clusterId, podCidr: `10.${second}.0.0/16`, serviceCidr: `10.${second + 1}.0.0/16` };
}

const rangeCount = 60;

/** A number below {@link rangeCount} that is this process' for as long as it runs. */
function claimedRange(): number {
  const first = randomInt(rangeCount);
  for (let offset = 0; offset < rangeCount; offset++) {
    const range = (first + offset) % rangeCount;
    const file = join(tmpdir(), `kanoe-test-range-${range}`);
    if (existsSync(file) && !isRunning(Number(readFileSync(file, 'utf8')))) rmSync(file, { force: true });
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return range;
    } catch {
      // Another process has it.
    }
  }
  // So many labs were made by now that most of them are gone.
  return first;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A port of the machine on which nothing is likely to listen. */
export function randomNodePort(): number {
  return 30_100 + randomInt(2_600);
}

/** Why no lab can be set up here; undefined when it can. */
export function labHindrance(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux only';
  return process.getuid?.() === 0 ? undefined : 'making links needs root';
}

/** Sets a lab up for a proxy that wants the service addresses so (see `ensureClusterLink`). */
export async function createPodLab(
  serviceAddresses: 'routed' | 'local',
  family: LabAddresses['family'] = 'IPv4',
): Promise<PodLab> {
  const { clusterId, podCidr, serviceCidr } = randomIdentity();
  const podRange = requireRange(podCidr);
  const serviceRange = requireRange(serviceCidr);
  const balancerRange = loadBalancerRange(podRange);
  const ipv6 = family === 'IPv6' ? ipv6SideOf(podRange, localNetworks(clusterId)) : undefined;
  const addresses = ipv6
    ? ipv6Addresses(ipv6, balancerRange)
    : ipv4Addresses({ podRange, serviceRange, balancerRange });
  await ensureClusterLink({ clusterId, podRange, serviceRange, balancerRange, ipv6, serviceAddresses });
  const folder = await mkdtemp(join(tmpdir(), 'pod-lab-'));
  await mkdir(join(folder, 'ns'));
  const networks = new Map<number, Promise<NodePodNetwork>>();
  const agents: { kill(): void }[] = [];
  const namespaces: string[] = [];

  function network(node: number): Promise<NodePodNetwork> {
    const range = ipv4Subrange(podRange, 24, node) ?? podRange;
    const known =
      networks.get(node) ??
      createPodNetwork({
        clusterId,
        range,
        pair: ipv6?.pods,
        file: join(folder, `${node}.json`),
        onHostPorts: () => {},
      });
    networks.set(node, known);
    return known;
  }

  async function addNamespace(name: string): Promise<string> {
    const file = join(folder, 'ns', name);
    await writeFile(file, '');
    await runTool('unshare', [`--net=${file}`, 'true']);
    namespaces.push(file);
    return file;
  }

  const start = (name: string, ip: string, prefix: readonly string[]): TestPod =>
    startAgent({ name, ip, prefix, agents });

  return {
    clusterId,
    podRange,
    serviceRange,
    balancerRange,
    ...(ipv6 && { ipv6 }),
    addresses,
    host: start('host', addresses.loopback, []),
    async addStranger(network) {
      const file = await addNamespace('outside');
      const link = `outside${clusterId}`;
      await runTool(
        'ip',
        ['-batch', '-'],
        `link add ${link} type veth peer name eth0 netns ${file}\naddr add ${network}.1/24 dev ${link}\nlink set ${link} up\n`,
      );
      await runTool(
        'nsenter',
        [`--net=${file}`, 'ip', '-batch', '-'],
        `addr add ${network}.2/24 dev eth0\nlink set eth0 up\n`,
      );
      return start('outside', `${network}.2`, ['nsenter', `--net=${file}`]);
    },
    async addPod(name, node) {
      const file = await addNamespace(name);
      const { ip, additionalIPs } = await (await network(node)).attach(name, file, []);
      return start(name, additionalIPs?.[0] ?? ip, ['nsenter', `--net=${file}`]);
    },
    async remove() {
      for (const agent of agents) agent.kill();
      for (const file of namespaces) await runTool('umount', [file]);
      await removeNetwork({ clusterId });
      await rm(folder, { recursive: true });
    },
  };
}

function ipv4Addresses({
  podRange,
  serviceRange,
  balancerRange,
}: Pick<PodLab, 'podRange' | 'serviceRange' | 'balancerRange'>): LabAddresses {
  return {
    family: 'IPv4',
    loopback: '127.0.0.1',
    gateway: formatIpv4(podRange.network + 1),
    external: '198.51.100.77',
    service: (number) => formatIpv4(serviceRange.network + number),
    balancer: (number) => formatIpv4(balancerRange.network + number),
    node: (number) => formatIpv4Range(ipv4Subrange(podRange, 24, number) ?? podRange),
  };
}

function ipv6Addresses({ pods, serviceRange }: Ipv6Side, balancerRange: Ipv4Range): LabAddresses {
  return {
    family: 'IPv6',
    loopback: '::1',
    gateway: pairedAddress(pods, pods.ipv4.network + 1),
    external: '2001:db8::77',
    service: (number) => formatIpv6(serviceRange.network + BigInt(number)),
    balancer: (number) => pairedAddress(pods, balancerRange.network + number),
    node: (number) => formatIpv6Range(pairedRange(pods, ipv4Subrange(pods.ipv4, 24, number) ?? pods.ipv4)),
  };
}

/** Networks of RFC 4193 that no other lab has. */
function localNetworks(clusterId: string): Ipv6Networks {
  const site = `fd${clusterId.slice(0, 2)}:${clusterId.slice(2)}:1ab`;
  const none = { network: 0n, prefix: 0 };
  return {
    podCidr: parseIpv6Range(`${site}::/56`) ?? none,
    serviceCidr: parseIpv6Range(`${site}:100::/112`) ?? none,
  };
}

export interface AgentOptions {
  readonly name: string;
  readonly ip: string;
  /** The command that enters the pod's namespace. */
  readonly prefix: readonly string[];
  /** Gets a handle to end the process by. */
  readonly agents: { kill(): void }[];
}

/** Starts the process that stands for a pod's. */
export function startAgent({ name, ip, prefix, agents }: AgentOptions): TestPod {
  const agent = join(import.meta.dirname, '../testdata/pod-agent.mjs');
  const [file, ...args] = [...prefix, process.execPath, agent];
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  agents.push({ kill: () => void child.kill('SIGKILL') });
  const waiting = new Map<number, { resolve(text: string): void; reject(error: Error): void }>();
  let last = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: string; error?: string };
    if (error === undefined) waiting.get(id)?.resolve(result ?? '');
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  const ask = (command: string, details: object): Promise<string> =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: last, command, ...details })}\n`);
    });
  return {
    name,
    ip,
    listen: async (protocol, port) =>
      void (await ask(protocol === 'tcp' ? 'listenTcp' : 'listenUdp', {
        name,
        port,
        host: ip.includes(':') ? '::' : '0.0.0.0',
      })),
    tcp: (host, port, details) => ask('tcp', { host, port, ...details }),
    udp: (host, port, details) => ask('udp', { host, port, ...details }),
    open: (host, port) => ask('open', { host, port }),
    talk: (text) => ask('talk', { text }),
  };
}
