import { describe, expect, it } from 'vitest';
import { services } from '../../api/core/v1.gen.ts';
import { ipaddresses, servicecidrs, type ServiceCIDR } from '../../api/networking/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer } from '../../reconcile/test-server.ts';
import { planRange, serviceCidrController } from './controller.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';

function range(metadata: object, conditions: readonly string[] = []): Live<ServiceCIDR> {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: {
      name: 'r',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { cidrs: ['10.1.0.0/24'] },
    status: {
      conditions: conditions.map((status) => ({
        type: 'Ready',
        status,
        reason: '',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      })),
    },
  };
}

describe('a service range', () => {
  const held = { finalizers: [finalizer] };
  const going = { ...held, deletionTimestamp: '2026-01-02T00:00:00Z' };
  it.each<[string, Live<ServiceCIDR>, readonly [string[], string[]], object]>([
    ['new', range({}), [[], []], { action: 'finalizers', finalizers: [finalizer] }],
    ['held', range(held), [[], []], { action: 'condition', condition: { status: 'True' } }],
    ['ready', range(held, ['True']), [[], []], { action: 'none' }],
    [
      'deleted and unused',
      range(going, ['True']),
      [['10.2.0.1'], []],
      { action: 'finalizers', finalizers: [] },
    ],
    [
      'deleted and used',
      range(going, ['True']),
      [['10.1.0.1'], []],
      { action: 'condition', condition: { status: 'False', reason: 'Terminating' } },
    ],
    [
      'deleted and covered',
      range(going, ['True']),
      [['10.1.0.1'], ['10.1.0.0/16']],
      { action: 'finalizers', finalizers: [] },
    ],
  ])('%s', (_name, object, [addresses, others], plan) => {
    expect(planRange(object, addresses, others)).toMatchObject(plan);
  });

  it('gives addresses to services once it is ready, and each has an object', async () => {
    const server = await startTestServer([serviceCidrController]);
    const { client } = server;
    await client.for(servicecidrs).create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'more' },
      spec: { cidrs: ['10.7.0.0/24'] },
    });
    await eventually(client, servicecidrs, (all) =>
      all.some(({ status }) => status?.conditions?.some(({ status: value }) => value === 'True')),
    );
    const made = await client.for(services).create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 's' },
      spec: { clusterIP: '10.7.0.9', ports: [{ port: 80 }] },
    });
    expect(made.spec.clusterIPs).toEqual(['10.7.0.9']);
    const address = await client.for(ipaddresses).get({ name: '10.7.0.9' });
    expect(address.spec?.parentRef).toEqual({ resource: 'services', namespace: 'default', name: 's' });
    expect(address.metadata.labels).toEqual({
      'ipaddress.kubernetes.io/ip-family': 'IPv4',
      'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    });
    await client.for(services).delete({ namespace: 'default', name: 's' });
    expect((await client.for(ipaddresses).list()).items).toEqual([]);
    await server.stop();
  });

  it('leaves addresses alone that something else has', async () => {
    const server = await startTestServer([]);
    const { client } = server;
    await client.for(ipaddresses).create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: { name: '10.96.0.9' },
      spec: { parentRef: { resource: 'gateways', name: 'g' } },
    });
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 's' },
      spec: { clusterIP: '10.96.0.9', ports: [{ port: 80 }] },
    } as const;
    await expect(client.for(services).create(service)).rejects.toThrow(
      'failed to allocate IP 10.96.0.9: provided IP is already allocated',
    );
    await server.stop();
  });
});
