import { describe, expect, it } from 'vitest';
import type { Endpoints, EndpointSubset, Service } from '../../api/core/v1.gen.ts';
import type { EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planMirror, shouldMirror } from './plan.ts';

const meta = { name: 'db', namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '' };

function endpoints(
  subsets: readonly EndpointSubset[],
  more: Partial<Live<Endpoints>['metadata']> = {},
): Live<Endpoints> {
  return { apiVersion: 'v1', kind: 'Endpoints', metadata: { ...meta, ...more }, subsets };
}

const service = (selector?: Readonly<Record<string, string>>): Live<Service> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta,
  spec: selector === undefined ? {} : { selector },
});

const stored = (slice: EndpointSlice | undefined, name: string): Live<EndpointSlice> => {
  if (!slice) throw new Error('no slice was planned');
  const { generateName: _generated, ...metadata } = slice.metadata;
  return {
    ...slice,
    metadata: { ...metadata, name, uid: name, resourceVersion: '1', creationTimestamp: '' },
  };
};

describe('shouldMirror', () => {
  it.each<[string, Live<Endpoints> | undefined, Live<Service> | undefined, boolean]>([
    ['kept by hand', endpoints([]), service(), true],
    ['no endpoints', undefined, service(), false],
    ['no service', endpoints([]), undefined, false],
    ['a service that selects pods', endpoints([]), service({ app: 'x' }), false],
    ['an empty selector', endpoints([]), service({}), true],
    [
      'not wanted',
      endpoints([], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }),
      service(),
      false,
    ],
    [
      'a lock',
      endpoints([], { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
      service(),
      false,
    ],
  ])('%s', (_, held, owner, expected) => {
    expect(shouldMirror(held, owner)).toBe(expected);
  });
});

describe('planMirror', () => {
  const subset: EndpointSubset = {
    addresses: [{ ip: '10.0.0.1', hostname: 'one', nodeName: 'n' }, { ip: 'fd00::1' }],
    notReadyAddresses: [{ ip: '10.0.0.2' }],
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP', appProtocol: 'postgres' }],
  };

  it('makes a slice for each family, with labels and annotations but for those of tools', () => {
    const labels = { tier: 'data' };
    const annotations = {
      note: 'x',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'endpoints.kubernetes.io/last-change-trigger-time': 't',
    };
    const { create } = planMirror(endpoints([subset], { labels, annotations }), []);
    expect(create.map(({ addressType, endpoints: list }) => [addressType, list])).toEqual([
      [
        'IPv4',
        [
          { addresses: ['10.0.0.1'], conditions: { ready: true }, hostname: 'one', nodeName: 'n' },
          { addresses: ['10.0.0.2'], conditions: { ready: false } },
        ],
      ],
      ['IPv6', [{ addresses: ['fd00::1'], conditions: { ready: true } }]],
    ]);
    expect([create[0]?.ports, create[0]?.metadata]).toEqual([
      [{ name: 'sql', port: 5432, protocol: 'TCP', appProtocol: 'postgres' }],
      {
        generateName: 'db-',
        namespace: 'ns',
        labels: {
          tier: 'data',
          'kubernetes.io/service-name': 'db',
          'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
        },
        annotations: { note: 'x' },
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Endpoints',
            name: 'db',
            uid: 'u',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
    ]);
  });

  it('changes what differs, and nothing else', () => {
    const made = planMirror(endpoints([subset]), []).create.map((slice, index) => stored(slice, `s${index}`));
    const fewer = { ...subset, addresses: [{ ip: '10.0.0.1' }] };
    const same = planMirror(endpoints([subset]), made);
    const changed = planMirror(endpoints([fewer]), made);
    const relabelled = planMirror(endpoints([subset], { labels: { a: 'b' } }), made);
    const gone = planMirror(endpoints([]), made);
    const summary = [same, changed, relabelled, gone].map(({ create, update, remove }) => [
      create.length,
      update.map(({ metadata }) => metadata.name).join(),
      remove.map(({ metadata }) => metadata.name).join(),
    ]);
    expect(summary).toEqual([
      [0, '', ''],
      [0, 's0', 's1'],
      [0, 's0,s1', ''],
      [0, '', 's0,s1'],
    ]);
  });

  it('mirrors a thousand addresses of a subset', () => {
    const addresses = Array.from({ length: 1001 }, (_, index) => ({
      ip: `10.0.${index >> 8}.${index & 255}`,
    }));
    const { create } = planMirror(endpoints([{ addresses }]), []);
    expect(create.map((slice) => slice.endpoints.length)).toEqual([1000]);
  });
});
