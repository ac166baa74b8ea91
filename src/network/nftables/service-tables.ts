import { formatIpv4Range, parseIpv4, type Ipv4Range } from '../../base/ipv4.ts';
import { formatIpv6Range } from '../../base/ipv6.ts';
import { pairedAddress, pairedRange } from '../../base/paired-ranges.ts';
import type { Ipv6Side } from '../ipv6-side.ts';
import { nodeAddressRange } from '../node-namespace.ts';
import type { ServiceTable } from './base-table.ts';

/** What the tables of a cluster's services are made of. */
export interface ServiceTableOptions {
  readonly clusterId: string;
  readonly podRange: Ipv4Range;
  readonly serviceRange: Ipv4Range;
  readonly balancerRange: Ipv4Range;
  /** Of a cluster of two families, which has a table of each. */
  readonly ipv6?: Ipv6Side | undefined;
  /** For the tables of a node that carries its own traffic alone. */
  readonly node?: ServiceNode;
}

/** A node with a namespace of its own, or a machine elsewhere. */
export interface ServiceNode {
  readonly address: string;
  /** The addresses of its pods. */
  readonly podRange: Ipv4Range;
  /** Where the kubelet of a node with a namespace of its own listens on the machine, at the address by which nodes know that. */
  readonly kubelet?: { readonly address: string; readonly port: number };
}

/** The tables of services, that of IPv4 first. */
export function serviceTables(options: ServiceTableOptions): readonly [ServiceTable, ...ServiceTable[]] {
  const { clusterId, podRange, serviceRange, balancerRange, ipv6, node } = options;
  const ipv4: ServiceTable = {
    clusterId,
    family: 'IPv4',
    podRange: formatIpv4Range(podRange),
    serviceRange: formatIpv4Range(serviceRange),
    balancerRange: formatIpv4Range(balancerRange),
    ...(node && {
      node: {
        address: node.address,
        podRange: formatIpv4Range(node.podRange),
        ...(node.kubelet && {
          machine: { address: node.kubelet.address, kubeletPort: node.kubelet.port },
        }),
      },
    }),
  };
  return ipv6 ? [ipv4, ipv6Table(options, ipv6)] : [ipv4];
}

function ipv6Table(
  { clusterId, podRange, balancerRange, node }: ServiceTableOptions,
  { pods, serviceRange }: Ipv6Side,
): ServiceTable {
  const paired = (address: string): string => pairedAddress(pods, parseIpv4(address) ?? pods.ipv4.network);
  return {
    clusterId,
    family: 'IPv6',
    podRange: formatIpv6Range(pods.ipv6),
    serviceRange: formatIpv6Range(serviceRange),
    balancerRange: formatIpv6Range(pairedRange(pods, balancerRange)),
    ...(!node && { bridgedNodes: formatIpv6Range(pairedRange(pods, nodeAddressRange(podRange))) }),
    ...(node && {
      node: {
        address: paired(node.address),
        podRange: formatIpv6Range(pairedRange(pods, node.podRange)),
        ...(node.kubelet && { machine: { address: paired(node.kubelet.address) } }),
      },
    }),
  };
}
