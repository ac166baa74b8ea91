import type { Client } from '../client/client.ts';
import { ensureManualService } from './ensure-manual-service.ts';

export interface KubernetesServiceOptions {
  /** The first address of the service range. */
  readonly clusterIP: string;
  /** Where pods reach the API server; absent where no pod can. */
  readonly address?: string;
  readonly port: number;
}

/** The Service `default/kubernetes`, which leads to the API server. */
export function ensureKubernetesService(
  client: Client,
  { clusterIP, address, port }: KubernetesServiceOptions,
): Promise<void> {
  return ensureManualService(client, {
    namespace: 'default',
    name: 'kubernetes',
    labels: { component: 'apiserver', provider: 'kubernetes' },
    clusterIP,
    ...(address !== undefined && { address }),
    ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
  });
}
