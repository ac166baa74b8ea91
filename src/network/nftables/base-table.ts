import { formatIpv4Range, type Ipv4Range } from '../../base/ipv4.ts';
import { clusterLinkName, tableName } from '../link-names.ts';

export interface BaseTableOptions {
  readonly clusterId: string;
  readonly podRange: Ipv4Range;
  readonly serviceRange: Ipv4Range;
  readonly balancerRange: Ipv4Range;
}

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
  chain services {
    ip daddr . meta l4proto . th dport vmap @service-addresses
    fib daddr type local meta l4proto . th dport vmap @service-ports
  }
  chain pod-loopback {
    type filter hook prerouting priority raw; policy accept;
    iifname ${links} ip daddr 127.0.0.0/8 drop
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
    ct status dnat ip daddr . meta l4proto . th dport @outside-endpoints oifname != "lo" masquerade
    ip saddr 127.0.0.0/8 oifname ${links} masquerade
    ip saddr ${pods} ip daddr != { ${pods}, ${services} } oifname != ${links} masquerade
  }
}
`;
}
