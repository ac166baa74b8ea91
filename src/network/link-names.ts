/**
 * Names of what belongs to a cluster of six hexadecimal digits. Link names have at most 15 characters:
 *
 *     kab12cd            the cluster's own link, which has the gateways' addresses
 *     kab12cd0af40005    the host's end of the link of pod 10.244.0.5
 */
export function clusterLinkName(clusterId: string): string {
  return `k${clusterId}`;
}

/** The host's end of the link of a pod's address (a number). */
export function podLinkName(clusterId: string, address: number): string {
  return `${clusterLinkName(clusterId)}${address.toString(16).padStart(8, '0')}`;
}

/** The nftables table (family `ip`) of a cluster. */
export function tableName(clusterId: string): string {
  return `kanoe-${clusterId}`;
}

/** An empty table that says: Kanoe switched `net.ipv4.ip_forward` on, and whoever removes the last cluster switches it off. */
export const forwardingMarker: string = 'kanoe-forwarding';
