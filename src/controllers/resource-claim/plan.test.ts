import { describe, expect, it } from 'vitest';
import type { Pod, PodResourceClaim, PodStatus } from '../../api/core/v1.gen.ts';
import type {
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
  ResourceClaimTemplate,
} from '../../api/resource/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planClaim, reserveFor } from './plan-claim.ts';
import { needsClaims, planPodClaim, type PodClaimPlan } from './plan-pod.ts';

const meta = { namespace: 'ns', resourceVersion: '1', creationTimestamp: '' };
const deletionTimestamp = '2026-01-01T00:00:00Z';
const protection = 'resource.kubernetes.io/delete-protection';

interface PodDraft {
  readonly name?: string;
  readonly uid?: string;
  readonly node?: string;
  readonly status?: PodStatus;
  readonly deleted?: true;
}

const pod = ({ name = 'p', uid = 'u', node, status, deleted }: PodDraft = {}): Live<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...meta, name, uid, ...(deleted && { deletionTimestamp }) },
  spec: { containers: [], ...(node !== undefined && { nodeName: node }) },
  ...(status && { status }),
});

const claim = (
  name: string,
  status?: ResourceClaimStatus,
  more: Partial<Live<ResourceClaim>['metadata']> = {},
): Live<ResourceClaim> => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { ...meta, name, uid: name, ...more },
  spec: { devices: { requests: [] } },
  ...(status && { status }),
});

const owner = {
  apiVersion: 'v1',
  kind: 'Pod',
  name: 'p',
  uid: 'u',
  controller: true,
  blockOwnerDeletion: true,
};

describe('planPodClaim', () => {
  const template: Live<ResourceClaimTemplate> = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { ...meta, name: 't', uid: 't' },
    spec: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec: { devices: { requests: [] } } },
  };
  const annotations = { 'resource.kubernetes.io/pod-claim-name': 'gpu' };
  const made = claim('p-gpu-x', undefined, { annotations, ownerReferences: [owner] });
  const wants: PodResourceClaim = { name: 'gpu', resourceClaimTemplateName: 't' };
  const told = { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'p-gpu-x' }] };
  const created = (generateName: string): PodClaimPlan => ({
    do: 'create',
    claim: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: {
        namespace: 'ns',
        generateName,
        labels: { a: 'b' },
        annotations: { c: 'd', ...annotations },
        ownerReferences: [{ ...owner, name: generateName.startsWith('p-') ? 'p' : 'x'.repeat(63) }],
      },
      spec: { devices: { requests: [] } },
    },
  });
  it.each<[string, Live<Pod>, PodResourceClaim, readonly Live<ResourceClaim>[], PodClaimPlan]>([
    [
      'a claim by name is left to others',
      pod(),
      { name: 'gpu', resourceClaimName: 'mine' },
      [],
      { do: 'nothing' },
    ],
    ['a claim is made', pod(), wants, [], created('p-gpu-')],
    ['a long name is cut', pod({ name: 'x'.repeat(63) }), wants, [], created(`${'x'.repeat(53)}-gpu-`)],
    ['a claim that was made is told', pod(), wants, [made], { do: 'tell', claimName: 'p-gpu-x' }],
    ['nothing to do', pod({ status: told }), wants, [made], { do: 'nothing' }],
    [
      'one for another entry does not count',
      pod(),
      wants,
      [claim('o', undefined, { annotations: {} })],
      created('p-gpu-'),
    ],
    [
      'one that goes does not count',
      pod(),
      wants,
      [{ ...made, metadata: { ...made.metadata, deletionTimestamp } }],
      created('p-gpu-'),
    ],
    [
      'without template it fails',
      pod(),
      { name: 'gpu', resourceClaimTemplateName: 'gone' },
      [],
      {
        do: 'fail',
        why: 'resource claim template "gone": resourceclaimtemplate.resource.k8s.io "gone" not found',
      },
    ],
  ])('%s', (...[, held, entry, owned, plan]) => {
    expect(
      planPodClaim({ pod: held, entry, owned, template: (name) => (name === 't' ? template : undefined) }),
    ).toEqual(plan);
  });

  it('is asked for pods that may still run', () => {
    const states = [
      pod(),
      pod({ deleted: true }),
      pod({ status: { phase: 'Failed' } }),
      pod({ node: 'n', status: { phase: 'Running' } }),
    ];
    expect(states.map(needsClaims)).toEqual([true, false, false, true]);
  });
});

describe('planClaim', () => {
  const reserved = (name: string, uid = name): ResourceClaimConsumerReference => ({
    resource: 'pods',
    name,
    uid,
  });
  const status = (...reservedFor: ResourceClaimConsumerReference[]): ResourceClaimStatus => ({
    allocation: {},
    reservedFor,
  });
  const guarded = { finalizers: [protection] };
  const pods: Readonly<Record<string, Live<Pod>>> = {
    running: pod({ name: 'running', uid: 'running', node: 'n', status: { phase: 'Running' } }),
    done: pod({ name: 'done', uid: 'done', node: 'n', status: { phase: 'Succeeded' } }),
    ending: pod({ name: 'ending', uid: 'ending', node: 'n', deleted: true }),
    never: pod({ name: 'never', uid: 'never', deleted: true }),
    p: pod({ status: { phase: 'Succeeded' } }),
  };
  const owned = (name: string, uid = name): object => ({ ownerReferences: [{ ...owner, name, uid }] });
  it.each<[string, Live<ResourceClaim>, object]>([
    ['nobody wanted it yet', claim('c'), { do: 'nothing' }],
    ['it is used', claim('c', status(reserved('running')), guarded), { do: 'nothing' }],
    ['a pod that ends still uses it', claim('c', status(reserved('ending')), guarded), { do: 'nothing' }],
    [
      'something else than a pod uses it',
      claim('c', status({ apiGroup: 'x', resource: 'ys', name: 'y', uid: 'y' }), guarded),
      { do: 'nothing' },
    ],
    [
      'one of two is done',
      claim('c', status(reserved('running'), reserved('done')), guarded),
      { do: 'status', status: status(reserved('running')) },
    ],
    [
      'the last is done',
      claim('c', status(reserved('done')), guarded),
      { do: 'status', status: {}, finalizers: [] },
    ],
    [
      'the last is gone',
      claim('c', status(reserved('gone')), guarded),
      { do: 'status', status: {}, finalizers: [] },
    ],
    [
      'another pod has the name',
      claim('c', status(reserved('running', 'old')), guarded),
      { do: 'status', status: {}, finalizers: [] },
    ],
    [
      'the last never ran',
      claim('c', status(reserved('never')), guarded),
      { do: 'status', status: {}, finalizers: [] },
    ],
    [
      'without protection it stays allocated',
      claim('c', status(reserved('done'))),
      { do: 'status', status: { allocation: {} } },
    ],
    [
      'it is deleted and not used',
      claim('c', { allocation: {} }, { ...guarded, deletionTimestamp }),
      { do: 'status', status: {}, finalizers: [] },
    ],
    ['the scheduler is about to allocate it', claim('c', {}, guarded), { do: 'nothing' }],
    [
      'its devices are free and it goes',
      claim('c', {}, { ...guarded, deletionTimestamp }),
      { do: 'finalizers', finalizers: [] },
    ],
    ['its pod runs', claim('c', {}, owned('running')), { do: 'nothing' }],
    ['its pod is done', claim('c', {}, owned('done')), { do: 'delete' }],
    ['its pod is gone', claim('c', {}, owned('gone')), { do: 'delete' }],
    ['it goes already', claim('c', {}, { ...owned('done'), deletionTimestamp }), { do: 'nothing' }],
  ])('%s', (_, held, plan) => {
    expect(planClaim(held, (name) => pods[name])).toEqual(plan);
  });

  it('reserves for pods that have a node already', () => {
    const running = pods['running'] ?? pod();
    const full = status(...Array.from({ length: 256 }, (_, index) => reserved(`p${index}`)));
    expect([
      reserveFor(claim('c', {}), running),
      reserveFor(claim('c', { allocation: {} }), running),
      reserveFor(claim('c', status(reserved('running'))), running),
      reserveFor(claim('c', full), running),
      reserveFor(claim('c', { allocation: {} }, { deletionTimestamp }), running),
    ]).toEqual([undefined, status(reserved('running')), undefined, undefined, undefined]);
  });
});
