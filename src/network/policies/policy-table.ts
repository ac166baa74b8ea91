import { clusterLinkName, foreignLinkGroup } from '../link-names.ts';

/** An address and port of this machine that pods reach by the rules of policies, although the machine is their node. */
export interface MachineListener {
  readonly address: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export interface PolicyTableOptions {
  readonly clusterId: string;
  /** What of this machine is not simply the node of its pods: the name server, the API. */
  readonly listeners: readonly MachineListener[];
  /** Addresses from which everything may come in, as from the node itself: those of agents elsewhere that probe pods. */
  readonly trusted?: readonly string[];
}

/** The table of a cluster's network policies, with its family. */
export function policyTable(clusterId: string): string {
  return `inet kanoe-${clusterId}-policies`;
}

/**
 * nft input that replaces the table by one that isolates nobody. It sees packets after destinations were translated and
 * before sources are. A connection is judged by each packet that its opener sends, so that one which is no longer allowed
 * ends; answers pass. What the machine itself sends to its pods never passes here.
 */
export function emptyPolicyTable({ clusterId, listeners, trusted = [] }: PolicyTableOptions): string {
  const table = policyTable(clusterId);
  const own = listeners.map(({ address, protocol, port }) => `${address} . ${protocol} . ${port}`);
  const nodes = trusted
    .map((address) => `    ${address.includes(':') ? 'ip6' : 'ip'} saddr ${address} accept\n`)
    .join('');
  return `add table ${table}
delete table ${table}
table ${table} {
  map isolated-ingress { type ipv4_addr : verdict; }
  map isolated-egress { type ipv4_addr : verdict; }
  map isolated-ingress-6 { type ipv6_addr : verdict; }
  map isolated-egress-6 { type ipv6_addr : verdict; }
  set themselves { type ipv4_addr . ipv4_addr; }
  set themselves-6 { type ipv6_addr . ipv6_addr; }
  set listeners { type ipv4_addr . inet_proto . inet_service;${own.length > 0 ? ` elements = { ${own.join(', ')} }` : ''} }
  chain deny {
    tcp flags & (syn | ack) != syn goto cut
    drop
  }
  chain cut {
    tcp flags & rst == rst accept
    reject with tcp reset
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    ct direction reply accept
    ct state related accept
    ip saddr . ip daddr @themselves accept
    ip6 saddr . ip6 daddr @themselves-6 accept
    ip saddr vmap @isolated-egress
    ip6 saddr vmap @isolated-egress-6
${nodes}    ip daddr vmap @isolated-ingress
    ip6 daddr vmap @isolated-ingress-6
  }
  chain input {
    type filter hook input priority filter - 5; policy accept;
    iifname != "${clusterLinkName(clusterId)}*" iifgroup != ${foreignLinkGroup} accept
    ct direction reply accept
    ip daddr . meta l4proto . th dport @listeners ip saddr vmap @isolated-egress
  }
}
`;
}
