import { clusterLinkName, tableName } from '../link-names.ts';

/** A table of services: that of a cluster, or of a node with a network of its own, for one family. All ranges are of that family. */
export interface ServiceTable {
  readonly clusterId: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly podRange: string;
  readonly serviceRange: string;
  readonly balancerRange: string;
  /** For the machine's table of IPv6: where the nodes are that are plugged into the cluster's link. */
  readonly bridgedNodes?: string;
  /** For the table of a node that carries its own traffic alone. */
  readonly node?: NodeTable | undefined;
}

/** What is particular to a node that carries its own traffic alone: one with a namespace of its own, or a machine elsewhere. */
export interface NodeTable {
  readonly address: string;
  /** The addresses of its pods. */
  readonly podRange: string;
  /** For a node with a namespace of its own, whose `eth0` leads to the machine and to the other nodes: the address by which
   * nodes know the machine, and where its kubelet listens there; on the node it is reached at the usual port. */
  readonly machine?: { readonly address: string; readonly kubeletPort?: number };
}

/** Names of nft for what differs between the families. */
interface Words {
  readonly ip: 'ip' | 'ip6';
  readonly address: 'ipv4_addr' | 'ipv6_addr';
  readonly loopback: string;
  readonly unreachable: string;
}

const wordsOf: Readonly<Record<ServiceTable['family'], Words>> = {
  IPv4: {
    ip: 'ip',
    address: 'ipv4_addr',
    loopback: '127.0.0.0/8',
    unreachable: 'icmp type port-unreachable',
  },
  IPv6: { ip: 'ip6', address: 'ipv6_addr', loopback: '::1', unreachable: 'icmpv6 type port-unreachable' },
};

/** The table with its family, as nft names it: `ip kanoe-ab12cd`. */
export function serviceTableName({ clusterId, family }: Pick<ServiceTable, 'clusterId' | 'family'>): string {
  return `${wordsOf[family].ip} ${tableName(clusterId)}`;
}

/** Matches packets of the node's own pods. The machine's address lies in the range of one of its nodes. */
export function fromOwnPods({ family }: ServiceTable, { podRange, machine }: NodeTable): string {
  const { ip } = wordsOf[family];
  const pods = `${ip} saddr ${podRange}`;
  return machine ? `${pods} ${ip} saddr != ${machine.address}` : pods;
}

/** Where nodes with an address of their own serve the kubelet's API. */
export const kubeletPort = 10_250;

/**
 * nft input that replaces a cluster's table by one without services. Packets for addresses and ports of services are
 * looked up in verdict maps; those of the service ranges that no service takes are refused.
 */
export function baseTable(options: ServiceTable): string {
  const table = serviceTableName(options);
  const { ip, address, loopback, unreachable } = wordsOf[options.family];
  const links = `"${clusterLinkName(options.clusterId)}*"`;
  const { node, podRange: pods, serviceRange: services, balancerRange: balancers } = options;
  const outward = `${ip} saddr ${pods} ${ip} daddr != { ${pods}, ${services} } oifname != ${links} masquerade`;
  const machineMasquerading = [
    `ct status dnat ${ip} daddr . meta l4proto . th dport @outside-endpoints oifname != "lo" masquerade`,
    `${ip} saddr ${loopback} oifname != "lo" masquerade`,
    outward,
  ];
  const refuse = `${ip} daddr . meta l4proto . th dport vmap @refused-addresses
    fib daddr type local meta l4proto . th dport vmap @refused-ports`;
  return `add table ${table}
delete table ${table}
table ${table} {
  map service-addresses { type ${address} . inet_proto . inet_service : verdict; }
  map service-ports { type inet_proto . inet_service : verdict; }
  map refused-addresses { type ${address} . inet_proto . inet_service : verdict; }
  map refused-ports { type inet_proto . inet_service : verdict; }
  set own-endpoints { type ${address} . ${address}; }
  set outside-endpoints { type ${address} . inet_proto . inet_service; }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with ${unreachable}
  }
  chain services {${toKubelet(ip, node)}
    ${ip} daddr . meta l4proto . th dport vmap @service-addresses
    fib daddr type local meta l4proto . th dport vmap @service-ports
  }
  chain pod-loopback {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ${ip} daddr ${loopback} drop
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
    ${refuseFromLoopback(options)}${ip} daddr { ${services}, ${balancers} } goto refuse
    ${refuse}
  }
  chain refuse-forward {
    type filter hook forward priority filter; policy accept;
    ${ip} daddr { ${services}, ${balancers} } goto refuse
    ${refuse}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ${ip} saddr . ${ip} daddr @own-endpoints masquerade
    ${(node ? nodeMasquerading(node, { ip, loopback, links, outward }) : machineMasquerading).join('\n    ')}
  }
}
`;
}

/**
 * What leaves `::1` for a node behind the bridge is refused, so that clients try `127.0.0.1` at once: where the filter sees
 * bridged packets, answers are translated before the kernel looks at their address, and it drops what comes in to `::1`.
 */
function refuseFromLoopback({ bridgedNodes }: ServiceTable): string {
  if (bridgedNodes === undefined) return '';
  return `ip6 saddr ::1 rt nexthop ${bridgedNodes} goto refuse\n    `;
}

function toKubelet(ip: string, node: NodeTable | undefined): string {
  if (node?.machine?.kubeletPort === undefined) return '';
  const { address, machine } = node;
  return `\n    ${ip} daddr ${address} tcp dport ${kubeletPort} dnat to ${machine.address}:${machine.kubeletPort}`;
}

/** Answers to whom a service of this node led elsewhere have to come back through it, unless they come here anyway. */
function nodeMasquerading(
  { podRange: own, machine }: NodeTable,
  {
    ip,
    loopback: range,
    links,
    outward,
  }: Pick<Words, 'ip' | 'loopback'> & { readonly links: string; readonly outward: string },
): readonly string[] {
  const loopback = `${ip} saddr ${range} oifname != "lo" masquerade`;
  if (!machine)
    return [
      loopback,
      `ct status dnat oifname != "lo" oifname != ${links} ${ip} saddr != ${own} masquerade`,
      outward,
    ];
  return [
    loopback,
    `ct status dnat oifname "eth0" ${ip} saddr ${machine.address} masquerade`,
    `ct status dnat oifname "eth0" ${ip} saddr != ${own} masquerade`,
  ];
}
