import { isDeepStrictEqual } from 'node:util';
import { services, type Service, type ServicePort } from '../../api/core/v1.gen.ts';
import { endpointslices } from '../../api/discovery/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import { find, upsert } from '../upsert.ts';

/** A Service that leads to ports of the proxy. */
export interface FrontendService {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'LoadBalancer' | 'ClusterIP';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: OwnerReference;
  /** Where the proxy listens. */
  readonly address: string;
  readonly ports: readonly FrontendPort[];
  /** The load balancer's address that is asked for. */
  readonly balancerIP?: string;
}

export interface FrontendPort {
  readonly name: string;
  readonly port: number;
  /** The proxy's. */
  readonly targetPort: number;
}

/** Makes the Service and its EndpointSlice, or brings their ports up to date. What else people wrote into the Service stays. */
export async function ensureFrontendService(client: Client, frontend: FrontendService): Promise<void> {
  const { namespace, name, address, ports } = frontend;
  const current = await find(client.for(services), { namespace, name });
  if (!current) await client.for(services).create(serviceOf(frontend));
  else {
    const next = updated(current, frontend);
    if (!isDeepStrictEqual(next, current)) await client.for(services).update(next);
  }
  await upsert(client.for(endpointslices), {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace,
      name,
      labels: {
        ...frontend.labels,
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'kanoe-ingress',
      },
      ...(frontend.owner && { ownerReferences: [frontend.owner] }),
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: ports.map(({ name, targetPort }) => ({ name, port: targetPort, protocol: 'TCP' })),
  });
}

function serviceOf(frontend: FrontendService): Service {
  const { namespace, name, labels, annotations, owner, type, balancerIP } = frontend;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace,
      name,
      labels,
      ...(annotations && { annotations }),
      ...(owner && { ownerReferences: [owner] }),
    },
    spec: {
      type,
      ports: portsOf(frontend, []),
      ...(balancerIP !== undefined && { loadBalancerIP: balancerIP }),
    },
  };
}

function updated(current: Live<Service>, frontend: FrontendService): Live<Service> {
  const { loadBalancerIP: _former, ...spec } = current.spec ?? {};
  return {
    ...current,
    spec: {
      ...spec,
      ports: portsOf(frontend, current.spec?.ports ?? []),
      ...(frontend.balancerIP !== undefined && { loadBalancerIP: frontend.balancerIP }),
    },
  };
}

function portsOf({ ports }: FrontendService, before: readonly ServicePort[]): readonly ServicePort[] {
  return ports.map(({ name, port, targetPort }) => {
    const nodePort = before.find((one) => one.port === port)?.nodePort;
    return { name, protocol: 'TCP', port, targetPort, ...(nodePort !== undefined && { nodePort }) };
  });
}
