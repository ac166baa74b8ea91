/**
 * Names of what belongs to a cluster of six hexadecimal digits. Link names have at most 15 characters:
 *
 *     kab12cd            the cluster's own link, which has the gateways' addresses
 *     kab12cd0af40005    the node's end of the link of pod 10.244.0.5
 *     kab12cdn2          the machine's end of the link of the second node, when that has a namespace of its own
 */
export function clusterLinkName(clusterId: string): string {
  return `k${clusterId}`;
}

/** The machine's end of the link of a node that has a namespace of its own; numbers count from 1. */
export function nodeLinkName(clusterId: string, number: number): string {
  return `${clusterLinkName(clusterId)}n${number}`;
}

/** What the names of nodes' network namespaces begin with, as `ip netns` lists them; the node's number follows. */
export function nodeNamespacePrefix(clusterId: string): string {
  return `kanoe-${clusterId}-`;
}

/**
 * The hardware address of the cluster's link (0) and of its nodes' (from 1). They stay the same, so that neighbours do not go
 * on talking to a link that was made anew, or to a bridge that took the address of what was plugged in last.
 */
export function hardwareAddress(clusterId: string, number: number): string {
  const last = (number + 1).toString(16).padStart(2, '0');
  return `02:4b:${clusterId.slice(0, 2)}:${clusterId.slice(2, 4)}:${clusterId.slice(4, 6)}:${last}`;
}

/** The node's end of the link of a pod's address (a number). */
export function podLinkName(clusterId: string, address: number): string {
  return `${clusterLinkName(clusterId)}${address.toString(16).padStart(8, '0')}`;
}

/** The nftables table of a cluster (family `ip`, and `ip6` in a cluster of two families). */
export function tableName(clusterId: string): string {
  return `kanoe-${clusterId}`;
}

/** An empty table that says: Kanoe switched forwarding (of the table's family) on, and whoever removes the last cluster switches it off. */
export const forwardingMarker: string = 'kanoe-forwarding';

/** The group (`ip link … group`) of links that lead to pods which something else than Kanoe has connected. */
export const foreignLinkGroup: number = 0x6b_61_6e;
