import { formatIpv4Range, type Ipv4Range } from '../../base/ipv4.ts';
import { clusterLinkName, tableName } from '../link-names.ts';

export interface BaseTableOptions {
  readonly clusterId: string;
  readonly podRange: Ipv4Range;
  readonly serviceRange: Ipv4Range;
  readonly balancerRange: Ipv4Range;
  /** For the table of a node with a namespace of its own. */
  readonly node?: NodeTableOptions;
}

/** What is particular to a node that carries its own traffic alone: one with a namespace of its own, or a machine elsewhere. */
export interface NodeTableOptions {
  readonly address: string;
  /** The addresses of its pods. */
  readonly podRange: Ipv4Range;
  /** For a node with a namespace of its own, whose `eth0` leads to the machine and to the other nodes: where its kubelet
   * listens on the machine, at the address by which nodes know that; on the node it is reached at the usual port. */
  readonly kubelet?: { readonly address: string; readonly port: number };
}

/** Matches packets of the node's own pods. The machine's address lies in the range of one of its nodes. */
export function fromOwnPods({ podRange, kubelet }: NodeTableOptions): string {
  const pods = `ip saddr ${formatIpv4Range(podRange)}`;
  return kubelet ? `${pods} ip saddr != ${kubelet.address}` : pods;
}

/** Where nodes with an address of their own serve the kubelet's API. */
export const kubeletPort = 10_250;

/**
 * nft input that replaces a cluster's table by one without services. Packets for addresses and ports of services are
 * looked up in verdict maps; those of the service ranges that no service takes are refused.
 */
export function baseTable(options: BaseTableOptions): string {
  const table = tableName(options.clusterId);
  const links = `"${clusterLinkName(options.clusterId)}*"`;
  const pods = formatIpv4Range(options.podRange);
  const services = formatIpv4Range(options.serviceRange);
  const balancers = formatIpv4Range(options.balancerRange);
  const { node } = options;
  const outward = `ip saddr ${pods} ip daddr != { ${pods}, ${services} } oifname != ${links} masquerade`;
  const machineMasquerading = [
    'ct status dnat ip daddr . meta l4proto . th dport @outside-endpoints oifname != "lo" masquerade',
    'ip saddr 127.0.0.0/8 oifname != "lo" masquerade',
    outward,
  ];
  const refuse = `ip daddr . meta l4proto . th dport vmap @refused-addresses
    fib daddr type local meta l4proto . th dport vmap @refused-ports`;
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  map service-addresses { type ipv4_addr . inet_proto . inet_service : verdict; }
  map service-ports { type inet_proto . inet_service : verdict; }
  map refused-addresses { type ipv4_addr . inet_proto . inet_service : verdict; }
  map refused-ports { type inet_proto . inet_service : verdict; }
  set own-endpoints { type ipv4_addr . ipv4_addr; }
  set outside-endpoints { type ipv4_addr . inet_proto . inet_service; }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable
  }
  chain services {${node?.kubelet ? `\n    ip daddr ${node.address} tcp dport ${kubeletPort} dnat to ${node.kubelet.address}:${node.kubelet.port}` : ''}
    ip daddr . meta l4proto . th dport vmap @service-addresses
    fib daddr type local meta l4proto . th dport vmap @service-ports
  }
  chain pod-loopback {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
  }
  chain output {
    type nat hook output priority -100; policy accept;
    jump services
  }
  chain refuse-input {
    type filter hook input priority filter; policy accept;
    ${refuse}
  }
  chain refuse-output {
    type filter hook output priority filter; policy accept;
    ip daddr { ${services}, ${balancers} } goto refuse
    ${refuse}
  }
  chain refuse-forward {
    type filter hook forward priority filter; policy accept;
    ip daddr { ${services}, ${balancers} } goto refuse
    ${refuse}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr . ip daddr @own-endpoints masquerade
    ${(node ? nodeMasquerading(node, { links, outward }) : machineMasquerading).join('\n    ')}
  }
}
`;
}

/** Answers to whom a service of this node led elsewhere have to come back through it, unless they come here anyway. */
function nodeMasquerading(
  { podRange, kubelet }: NodeTableOptions,
  { links, outward }: { readonly links: string; readonly outward: string },
): readonly string[] {
  const own = formatIpv4Range(podRange);
  const loopback = 'ip saddr 127.0.0.0/8 oifname != "lo" masquerade';
  if (!kubelet)
    return [
      loopback,
      `ct status dnat oifname != "lo" oifname != ${links} ip saddr != ${own} masquerade`,
      outward,
    ];
  return [
    loopback,
    `ct status dnat oifname "eth0" ip saddr ${kubelet.address} masquerade`,
    `ct status dnat oifname "eth0" ip saddr != ${own} masquerade`,
  ];
}
