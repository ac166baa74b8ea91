import type { Client } from '../client/client.ts';
import { ensureManualService } from './ensure-manual-service.ts';

export interface DnsServiceOptions {
  /** The tenth address of the service range. */
  readonly clusterIP: string;
  /** Where the name server listens. */
  readonly address: string;
  readonly port: number;
}

/** The Service `kube-system/kube-dns`, which pods have in their resolv.conf. */
export function ensureDnsService(
  client: Client,
  { clusterIP, address, port }: DnsServiceOptions,
): Promise<void> {
  return ensureManualService(client, {
    namespace: 'kube-system',
    name: 'kube-dns',
    labels: {
      'k8s-app': 'kube-dns',
      'kubernetes.io/cluster-service': 'true',
      'kubernetes.io/name': 'CoreDNS',
    },
    clusterIP,
    address,
    ports: [
      { name: 'dns', protocol: 'UDP', port: 53, targetPort: port },
      { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: port },
    ],
  });
}
