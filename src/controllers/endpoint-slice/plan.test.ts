import { describe, expect, it } from 'vitest';
import type { Pod, Service, ServiceSpec } from '../../api/core/v1.gen.ts';
import type { EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planSubsets } from '../endpoints/plan.ts';
import { planSlices, type SlicePlan } from './plan.ts';

const creationTimestamp = '2026-01-01T00:00:00Z';

function service(spec: Partial<ServiceSpec> = {}): Live<Service> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 's',
      resourceVersion: '1',
      creationTimestamp,
      labels: { tier: 'front' },
    },
    spec: {
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
      ipFamilies: ['IPv4'],
      ...spec,
    },
  };
}

interface PodFacts {
  readonly ready?: boolean;
  readonly deleting?: boolean;
  readonly port?: number | undefined;
  readonly phase?: 'Running' | 'Succeeded';
}

function pod(number: number, facts: PodFacts = {}): Live<Pod> {
  const { ready = true, deleting, phase = 'Running' } = facts;
  const port = 'port' in facts ? facts.port : 8080;
  const name = `p${number}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp,
      ...(deleting && { deletionTimestamp: creationTimestamp }),
    },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', ports: port === undefined ? [] : [{ name: 'http', containerPort: port }] }],
    },
    status: {
      phase,
      podIP: `10.0.0.${number}`,
      podIPs: [{ ip: `10.0.0.${number}` }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

function plan(subject: Live<Service>, pods: Live<Pod>[], slices: Live<EndpointSlice>[] = []): SlicePlan {
  return planSlices({ service: subject, pods, slices, node: () => undefined, zoneShares: () => undefined });
}

/** Ports, then each endpoint with its conditions: `8080: 10.0.0.1 ready serving`. */
function describeSlice({ ports, endpoints }: EndpointSlice): string {
  const shown = endpoints.map(({ addresses, conditions = {} }) =>
    [addresses[0], ...Object.entries(conditions).flatMap(([name, value]) => (value ? [name] : []))].join(' '),
  );
  return `${ports.map(({ port }) => port).join()}: ${shown.join(', ')}`;
}

function stored(slice: EndpointSlice | undefined, name: string): Live<EndpointSlice> {
  if (!slice) throw new Error('no slice was planned');
  return {
    ...slice,
    metadata: { ...slice.metadata, name, uid: name, resourceVersion: '1', creationTimestamp },
  };
}

describe('planSlices', () => {
  it.each<[string, Live<Service>, Live<Pod>[], string[]]>([
    ['ready pods with the number of a named port', service(), [pod(1)], ['8080: 10.0.0.1 serving ready']],
    ['pods that are not ready', service(), [pod(1, { ready: false })], ['8080: 10.0.0.1']],
    [
      'pods that end but still serve',
      service(),
      [pod(1, { deleting: true })],
      ['8080: 10.0.0.1 serving terminating'],
    ],
    [
      'unready pods as ready when published',
      service({ publishNotReadyAddresses: true }),
      [pod(1, { ready: false })],
      ['8080: 10.0.0.1 ready'],
    ],
    ['no finished pods, and an empty slice then', service(), [pod(1, { phase: 'Succeeded' })], [': ']],
    [
      'a slice for each set of ports',
      service(),
      [pod(1), pod(2, { port: 9090 })],
      ['8080: 10.0.0.1 serving ready', '9090: 10.0.0.2 serving ready'],
    ],
    [
      'no port where a pod lacks the name',
      service(),
      [pod(1, { port: undefined })],
      [': 10.0.0.1 serving ready'],
    ],
  ])('lists %s', (_, subject, pods, expected) => {
    expect(plan(subject, pods).create.map(describeSlice)).toEqual(expected);
  });

  it('labels slices and ties them to their service', () => {
    const [slice] = plan(service({ clusterIP: 'None' }), [pod(1)]).create;
    expect(slice?.metadata).toEqual({
      generateName: 'web-',
      namespace: 'default',
      labels: {
        tier: 'front',
        'service.kubernetes.io/headless': '',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: 'web',
          uid: 's',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
  });

  it('writes nothing when nothing changed', () => {
    const first = stored(plan(service(), [pod(1), pod(2)]).create[0], 'web-1');
    expect(plan(service(), [pod(2), pod(1)], [first])).toEqual({ create: [], update: [], remove: [] });
  });

  it('opens a second slice at 100 endpoints and drops one that became empty', () => {
    const many = Array.from({ length: 101 }, (_, number) => pod(number + 1));
    const slices = plan(service(), many).create;
    const kept = slices.map((slice, number) => stored(slice, `web-${number}`));
    const fewer = plan(service(), many.slice(0, 100), kept);
    expect([
      slices.map(({ endpoints }) => endpoints.length),
      fewer.remove.map(({ metadata }) => metadata.name),
    ]).toEqual([[100, 1], ['web-1']]);
  });
});

describe('planSubsets', () => {
  it('parts ready addresses from others and leaves ending pods out', () => {
    const { subsets } = planSubsets(service(), [
      pod(2, { ready: false }),
      pod(1),
      pod(3, { deleting: true }),
    ]);
    expect(
      subsets.map(({ addresses, notReadyAddresses, ports }) => ({
        ready: addresses?.map(({ ip }) => ip),
        notReady: notReadyAddresses?.map(({ ip }) => ip),
        ports,
      })),
    ).toEqual([{ ready: ['10.0.0.1'], notReady: ['10.0.0.2'], ports: [{ port: 8080, protocol: 'TCP' }] }]);
  });

  it('leaves out the addresses above a thousand, those that are not ready first', () => {
    const many = Array.from({ length: 1100 }, (_, index) => pod(index, { ready: index >= 150 }));
    const { subsets, truncated } = planSubsets(service(), many);
    expect([
      truncated,
      ...subsets.map((one) => [one.addresses?.length, one.notReadyAddresses?.length]),
    ]).toEqual([true, [950, 50]]);
    const ports = Array.from({ length: 1200 }, (_, index) => pod(index, { port: index % 3 === 0 ? 1 : 2 }));
    const shared = planSubsets(service(), ports);
    expect(shared.subsets.map((one) => [one.addresses?.length, one.notReadyAddresses])).toEqual([
      [333, undefined],
      [667, undefined],
    ]);
  });
});
