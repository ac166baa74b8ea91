import {
  formatIpv4,
  formatIpv4Range,
  ipv4Subrange,
  parseIpv4,
  parseIpv4Range,
  type Ipv4Range,
} from '../base/ipv4.ts';
import { formatIpv6Range } from '../base/ipv6.ts';
import { pairedAddress, pairedRange, type RangePair } from '../base/paired-ranges.ts';
import { loopbackRoute } from './ipv6-side.ts';
import { clusterLinkName, hardwareAddress, nodeLinkName, nodeNamespacePrefix } from './link-names.ts';
import { NetworkError } from './network-error.ts';
import { ownPlace, placeAt, type NetworkPlace } from './network-place.ts';

/** Where `ip netns` keeps its namespaces. */
const namespacesFolder = '/run/netns';

/** The addresses of nodes that have a namespace of their own: the last /24 but one of the cluster's pod range. */
export function nodeAddressRange(podRange: Ipv4Range): Ipv4Range {
  const range = podRange.prefix <= 22 ? ipv4Subrange(podRange, 24, -2) : undefined;
  if (!range)
    throw new NetworkError(
      'INVALID_RANGE',
      `the pod range ${formatIpv4Range(podRange)} is too small for nodes of their own: take a /22 or larger`,
    );
  return range;
}

/** The address of the node of a number, from 1. */
export function nodeAddress(podRange: Ipv4Range, number: number): string {
  return formatIpv4(nodeAddressRange(podRange).network + number + 1);
}

export interface NodeNamespaceOptions {
  readonly clusterId: string;
  readonly podRange: Ipv4Range;
  /** From 1. */
  readonly number: number;
}

/** A node's network namespace. */
export interface NodeNamespace {
  /** Its name for `ip netns`. */
  readonly name: string;
  /** The file that stands for it. */
  readonly path: string;
  readonly address: string;
  readonly place: NetworkPlace;
}

/** What a node's namespace is called and where it is found; nothing is made. */
export function describeNodeNamespace({ clusterId, podRange, number }: NodeNamespaceOptions): NodeNamespace {
  const name = `${nodeNamespacePrefix(clusterId)}${number}`;
  const path = `${namespacesFolder}/${name}`;
  return { name, path, address: nodeAddress(podRange, number), place: placeAt(path) };
}

/**
 * Makes a node's network namespace, whose `eth0` is plugged into the cluster's link; idempotent, and what hangs from it
 * stays. Packets for everything that no other route takes go to the machine; those for pods that are not there are refused.
 */
export async function ensureNodeNamespace(
  options: NodeNamespaceOptions & {
    readonly podCidr: string;
    /** Of a cluster of two families. */
    readonly pair?: RangePair | undefined;
  },
): Promise<NodeNamespace> {
  const namespace = describeNodeNamespace(options);
  const { clusterId, podRange, number, podCidr, pair } = options;
  const machine = ownPlace();
  const link = nodeLinkName(clusterId, number);
  const gateway = formatIpv4(podRange.network + 1);
  const nodes = nodeAddressRange(podRange);
  const [linked, exists] = await Promise.all([
    machine.linkExists(link),
    namespace.place.run('true', []).then(
      () => true,
      () => false,
    ),
  ]);
  if (!linked || !exists) {
    if (linked) await machine.run('ip', ['link', 'del', link]);
    if (!exists) {
      await machine.run('ip', ['netns', 'del', namespace.name]).catch(() => '');
      await machine.run('ip', ['netns', 'add', namespace.name]);
    }
    await machine.run(
      'ip',
      ['-batch', '-'],
      `link add ${link} type veth peer name eth0 address ${hardwareAddress(clusterId, number)} netns ${namespace.name}\nlink set ${link} master ${clusterLinkName(clusterId)} up\n`,
    );
  }
  await namespace.place.run(
    'sh',
    ['-s'],
    `set -e
ip -batch - <<END
link set lo up
addr replace ${namespace.address}/${nodes.prefix} dev eth0
link set eth0 up
route replace ${gateway} dev eth0 scope link
route replace default via ${gateway} dev eth0
route replace unreachable ${podCidr}
${pair ? ipv6Lines(pair, { podRange, podCidr, address: namespace.address }) : ''}END
cd /proc/sys/net/ipv4
echo 1 > ip_forward
for place in all default; do
  echo 1 > conf/$place/forwarding
  echo 1 > conf/$place/route_localnet
  echo 0 > conf/$place/send_redirects
done
${pair ? 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding\n' : ''}`,
  );
  return namespace;
}

/** What the namespace of a node has of IPv6, as `ip -batch` reads it. */
function ipv6Lines(
  pair: RangePair,
  { podRange, podCidr, address }: NodeRoute & { readonly podRange: Ipv4Range },
): string {
  const gateway = pairedAddress(pair, podRange.network + 1);
  const own = pairedAddress(pair, parseIpv4(address) ?? podRange.network);
  const pods = pairedRange(pair, parseIpv4Range(podCidr) ?? podRange);
  return `addr replace ${own}/64 dev eth0 nodad
route replace ${gateway} dev eth0
route replace default via ${gateway} dev eth0
route replace unreachable ${formatIpv6Range(pods)}
route replace ${loopbackRoute('eth0', 1024)}
`;
}

/** Where the pods of a node are. */
export interface NodeRoute {
  readonly podCidr: string;
  /** The node's own address. */
  readonly address: string;
}

/** Leads packets for nodes' pods to the nodes; idempotent. `sources` are the addresses that the place's own packets bear. */
export async function addNodeRoutes(
  place: NetworkPlace,
  link: string,
  routes: readonly NodeRoute[],
  sources: { readonly IPv4?: string; readonly IPv6?: string } = {},
): Promise<void> {
  const lines = routes.map(({ podCidr, address }) => {
    const source = podCidr.includes(':') ? sources.IPv6 : sources.IPv4;
    const from = source === undefined ? '' : ` src ${source}`;
    return `route replace ${podCidr} via ${address} dev ${link}${from}\n`;
  });
  if (lines.length > 0) await place.run('ip', ['-batch', '-'], lines.join(''));
}

/** Forgets where the pods of nodes are; idempotent. */
export async function removeNodeRoutes(place: NetworkPlace, routes: readonly NodeRoute[]): Promise<void> {
  const lines = routes.map(({ podCidr, address }) => `route del ${podCidr} via ${address}\n`);
  if (lines.length > 0) await place.run('ip', ['-force', '-batch', '-'], lines.join('')).catch(() => '');
}

/** Removes a node's namespace and its link; idempotent. Processes in it keep it alive until they end. */
export async function removeNodeNamespace({ clusterId, number }: NodeNamespaceOptions): Promise<void> {
  const machine = ownPlace();
  const link = nodeLinkName(clusterId, number);
  if (await machine.linkExists(link)) await machine.run('ip', ['link', 'del', link]);
  await removeNamespaces([`${nodeNamespacePrefix(clusterId)}${number}`]);
}

/** Unmounts and removes namespaces that `ip netns` made. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  const lines = names.map((name) => `netns del ${name}\n`);
  if (lines.length > 0)
    await ownPlace()
      .run('ip', ['-force', '-batch', '-'], lines.join(''))
      .catch(() => '');
}
