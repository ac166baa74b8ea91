import { endpoints, services, type Service } from '../api/core/v1.gen.ts';
import { endpointslices } from '../api/discovery/v1.gen.ts';
import type { Client } from '../client/client.ts';
import { find, upsert } from './upsert.ts';

export interface ManualService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly clusterIP: string;
  /** Where all ports lead; absent: nowhere. */
  readonly address?: string;
  readonly ports: readonly {
    readonly name: string;
    readonly protocol: 'TCP' | 'UDP';
    readonly port: number;
    readonly targetPort: number;
  }[];
}

/**
 * A Service without a selector that leads to something outside of pods, with its Endpoints and its EndpointSlice (both of
 * the Service's name). The Service is made when absent and then left alone; the endpoints are kept up to date.
 */
export async function ensureManualService(client: Client, options: ManualService): Promise<void> {
  const { namespace, name, labels, clusterIP, address, ports } = options;
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name, labels },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      ports: ports.map(({ name, protocol, port, targetPort }) => ({ name, protocol, port, targetPort })),
    },
  };
  if (!(await find(client.for(services), { namespace, name }))) await client.for(services).create(service);
  const targets = ports.map(({ name, protocol, targetPort }) => ({ name, protocol, port: targetPort }));
  await Promise.all([
    upsert(client.for(endpoints), {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        namespace,
        name,
        labels: { ...labels, 'endpointslice.kubernetes.io/skip-mirror': 'true' },
      },
      ...(address !== undefined && { subsets: [{ addresses: [{ ip: address }], ports: targets }] }),
    }),
    upsert(client.for(endpointslices), {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace, name, labels: { ...labels, 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: address === undefined ? [] : [{ addresses: [address], conditions: { ready: true } }],
      ports: targets,
    }),
  ]);
}
