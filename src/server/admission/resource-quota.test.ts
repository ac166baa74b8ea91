import { describe, expect, it } from 'vitest';
import { limitranges, resourcequotas, type LimitRange, type ResourceQuota } from '../../api/core/v1.gen.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { newConflict } from '../../machinery/status/errors.ts';
import type { ApiRequest, Transport } from '../../machinery/transport.ts';
import { createAdmissionChain, type AdmissionRequest } from './admission-chain.ts';
import { limitRanger } from './limit-ranger.ts';
import type { Lookup } from './lookup.ts';
import { resourceQuota } from './resource-quota.ts';

function quota(hard: Record<string, string>, used: Record<string, string>): Live<ResourceQuota> {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: { hard },
    status: { hard, used },
  };
}

function request(object: object, change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    operation: 'CREATE',
    user: { name: 'u', groups: [] },
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    namespace: 'a',
    name: 'p',
    dryRun: false,
    object: { metadata: { name: 'p' }, ...object },
    warn: () => undefined,
    annotate: () => undefined,
    ...change,
  } as AdmissionRequest;
}

function container(resources: object): object {
  return { spec: { containers: [{ name: 'c', resources }] } };
}

/** A server that holds one quota, and refuses the first writes as if the controller had been faster. */
function serverOf(
  initial: Live<ResourceQuota>,
  conflicts = 0,
): { lookup: Lookup; server: Transport; now(): Live<ResourceQuota> } {
  let current = initial;
  let refusals = conflicts;
  const lookup = {
    get: () => undefined,
    *list(type: unknown) {
      if (type === resourcequotas) yield current as Live<never>;
    },
  } as Lookup;
  const server = {
    request: ({ body }: ApiRequest) => {
      if (refusals-- > 0) throw newConflict({ group: '', resource: 'resourcequotas' }, 'q');
      current = body as Live<ResourceQuota>;
      return Promise.resolve(current);
    },
  } as Transport;
  return { lookup, server, now: () => current };
}

describe('ResourceQuota', () => {
  const admit = async (
    held: ReturnType<typeof serverOf>,
    ...requests: AdmissionRequest[]
  ): Promise<string[]> => {
    const plugin = resourceQuota({ lookup: held.lookup, clock: new FakeClock(), server: () => held.server });
    const ended = await Promise.allSettled(requests.map(async (one) => plugin.validate?.(one)));
    return ended.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []));
  };

  it('lets exactly as many of many writes at once through as fit', async () => {
    const held = serverOf(quota({ pods: '3' }, { pods: '0' }));
    const refused = await admit(held, ...Array.from({ length: 10 }, () => request(container({}))));
    expect(refused).toHaveLength(7);
    expect(held.now().status?.used).toEqual({ pods: '3' });
  });

  it('counts again when the quota has changed meanwhile', async () => {
    const held = serverOf(quota({ pods: '3' }, { pods: '1' }), 2);
    expect(await admit(held, request(container({})))).toEqual([]);
    expect(held.now().status?.used).toEqual({ pods: '2' });
  });

  it.each<[string, Live<ResourceQuota>, object, string]>([
    [
      'what exceeds it',
      quota({ 'requests.cpu': '1', pods: '5' }, { 'requests.cpu': '500m', pods: '1' }),
      container({ requests: { cpu: '600m' } }),
      'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1',
    ],
    [
      'what does not say what it needs',
      quota({ 'limits.memory': '1Gi', 'requests.cpu': '1' }, { 'limits.memory': '0', 'requests.cpu': '0' }),
      container({}),
      'pods "p" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
    ],
    [
      'everything while the usage is not known',
      quota({ pods: '1' }, {}),
      container({}),
      'pods "p" is forbidden: status unknown for quota: q, resources: pods',
    ],
    [
      'devices by their request',
      quota({ 'requests.example.com/gpu': '1' }, { 'requests.example.com/gpu': '0' }),
      container({ limits: { 'example.com/gpu': '2' }, requests: { 'example.com/gpu': '2' } }),
      'pods "p" is forbidden: exceeded quota: q, requested: requests.example.com/gpu=2, used: requests.example.com/gpu=0, limited: requests.example.com/gpu=1',
    ],
    [
      'huge pages',
      quota({ 'hugepages-2Mi': '2Mi' }, { 'hugepages-2Mi': '0' }),
      container({ requests: { 'hugepages-2Mi': '4Mi' } }),
      'pods "p" is forbidden: exceeded quota: q, requested: hugepages-2Mi=4Mi, used: hugepages-2Mi=0, limited: hugepages-2Mi=2Mi',
    ],
  ])('refuses %s', async (_, held, object, message) => {
    expect(await admit(serverOf(held), request(object))).toEqual([message]);
  });

  it('does not count a dry run', async () => {
    const held = serverOf(quota({ pods: '1' }, { pods: '0' }));
    await admit(held, request(container({}), { dryRun: true }));
    expect(held.now().status?.used).toEqual({ pods: '0' });
  });
});

describe('LimitRanger', () => {
  const range: Live<LimitRange> = {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'l', namespace: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: {
      limits: [{ type: 'Container', maxLimitRequestRatio: { cpu: '2' }, default: { cpu: '1' } }],
    },
  };
  const lookup = {
    get: () => undefined,
    *list(type: unknown) {
      if (type === limitranges) yield range as Live<never>;
    },
  } as Lookup;

  it('fills in what a container does not say, and says so', async () => {
    const asked = request(container({ requests: { cpu: '600m' } }));
    await createAdmissionChain([limitRanger(lookup)]).admit(asked);
    expect(asked.object as KubeObject).toMatchObject({
      metadata: {
        annotations: { 'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu limit for container c' },
      },
      spec: { containers: [{ resources: { requests: { cpu: '600m' }, limits: { cpu: '1' } } }] },
    });
  });

  it('bounds the ratio of limits to requests', () => {
    const asked = request(container({ requests: { cpu: '100m' }, limits: { cpu: '1' } }));
    expect(() => limitRanger(lookup).validate?.(asked)).toThrow(
      'pods "p" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000',
    );
  });
});
