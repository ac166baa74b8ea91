import {
  formatIpv4,
  formatIpv4Range,
  inIpv4Range,
  parseIpv4,
  parseIpv4Range,
  type Ipv4Range,
} from '../base/ipv4.ts';
import { formatIpv6Range, inIpv6Range } from '../base/ipv6.ts';
import { pairedAddress, pairedRange, type RangePair } from '../base/paired-ranges.ts';
import type { Ipv6Side } from './ipv6-side.ts';
import { clusterLinkName, hardwareAddress } from './link-names.ts';
import { enableIpv6, linkExists, setLinkSettings } from './link-settings.ts';
import { machineIpv6Routes, machineRoutes } from './machine-routes.ts';
import { NetworkError } from './network-error.ts';
import { runTool } from './run-tool.ts';

/** What a cluster's link has to have. */
export interface ClusterLinkOptions {
  readonly clusterId: string;
  readonly podRange: Ipv4Range;
  readonly serviceRange: Ipv4Range;
  /** The addresses of load balancers. */
  readonly balancerRange: Ipv4Range;
  /** Of a cluster of two families. */
  readonly ipv6?: Ipv6Side | undefined;
  /**
   * `routed`: packets to service addresses pass the packet filter, which rewrites them. `local`: the machine itself has
   * all service addresses, so that sockets can listen on them.
   */
  readonly serviceAddresses: 'routed' | 'local';
}

/**
 * Makes the link that holds the gateways' addresses and the routes of the service ranges; idempotent. Its own address is
 * the first of the pod range. Nodes with a namespace of their own are plugged into it, but no pod is: each pod's link is
 * routed by itself, so that traffic between pods passes the packet filter whatever `bridge-nf-call-iptables` says.
 */
export async function ensureClusterLink(options: ClusterLinkOptions): Promise<void> {
  const name = clusterLinkName(options.clusterId);
  const existed = await linkExists(name);
  if (!existed) await refuseOverlaps(options);
  const gateway = formatIpv4(options.podRange.network + 1);
  const [type, otherTable] = options.serviceAddresses === 'local' ? ['local ', 'main'] : ['', 'local'];
  const services = [options.serviceRange, options.balancerRange]
    .map(formatIpv4Range)
    .flatMap((range) => [
      `route replace ${type}${range} dev ${name} src ${gateway}`,
      ...(existed ? [`route flush exact ${range} dev ${name} table ${otherTable}`] : []),
    ]);
  const batch = [
    ...(existed ? [] : [`link add ${name} address ${hardwareAddress(options.clusterId, 0)} type bridge`]),
    `addr replace ${gateway}/32 dev ${name}`,
    `link set ${name} up`,
    ...services,
  ];
  await runTool('ip', ['-batch', '-'], `${batch.join('\n')}\n`);
  await setLinkSettings(name, { forwarding: '1', route_localnet: '1' });
  if (options.ipv6) await ensureIpv6Link(options, options.ipv6);
}

async function ensureIpv6Link(options: ClusterLinkOptions, { pods, serviceRange }: Ipv6Side): Promise<void> {
  const name = clusterLinkName(options.clusterId);
  const gateway = pairedAddress(pods, options.podRange.network + 1);
  const type = options.serviceAddresses === 'local' ? 'local ' : '';
  const batch = [
    `addr replace ${gateway}/128 dev ${name} nodad`,
    ...[serviceRange, pairedRange(pods, options.balancerRange)].map(
      (range) => `route replace ${type}${formatIpv6Range(range)} dev ${name} src ${gateway}`,
    ),
  ];
  await enableIpv6(name);
  await runTool('ip', ['-batch', '-'], `${batch.join('\n')}\n`);
}

/** Gives the cluster's link one more gateway address (a number), and the one that goes with it; idempotent. */
export async function addGateway(clusterId: string, gateway: number, pods?: RangePair): Promise<void> {
  const name = clusterLinkName(clusterId);
  const addresses = [
    `${formatIpv4(gateway)}/32 dev ${name}`,
    ...(pods ? [`${pairedAddress(pods, gateway)}/128 dev ${name} nodad`] : []),
  ];
  const lines = addresses.map((address) => `addr replace ${address}\n`);
  await runTool('ip', ['-batch', '-'], lines.join(''));
}

/** A route of another link that lies within the cluster's ranges would take traffic away, or lose its own. */
async function refuseOverlaps(options: ClusterLinkOptions): Promise<void> {
  for (const { range: taken, link } of await machineRoutes()) {
    const range = [options.podRange, options.serviceRange].find(
      (range) => taken.prefix >= range.prefix && inIpv4Range(range, taken.network),
    );
    if (range)
      throw new NetworkError('RANGE_IN_USE', inUse(formatIpv4Range(range), formatIpv4Range(taken), link));
  }
  const { ipv6 } = options;
  if (!ipv6) return;
  for (const { range: taken, link } of await machineIpv6Routes()) {
    const range = [ipv6.pods.ipv6, ipv6.serviceRange].find(
      (range) => taken.prefix >= range.prefix && inIpv6Range(range, taken.network),
    );
    if (range)
      throw new NetworkError('RANGE_IN_USE', inUse(formatIpv6Range(range), formatIpv6Range(taken), link));
  }
}

function inUse(range: string, taken: string, link: string | undefined): string {
  return `${range} is in use on this machine: a route to ${taken}${link === undefined ? '' : ` on ${link}`} lies within it; choose other ranges`;
}

/** Reads a range such as `10.244.0.0/16`; throws `INVALID_RANGE`. */
export function requireRange(text: string): Ipv4Range {
  const range = parseIpv4Range(text);
  if (!range || parseIpv4(text.split('/')[0] ?? '') === undefined)
    throw new NetworkError(
      'INVALID_RANGE',
      `${JSON.stringify(text)} is not an IPv4 range such as 10.244.0.0/16`,
    );
  return range;
}
