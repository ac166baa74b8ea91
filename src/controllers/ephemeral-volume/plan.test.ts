import { expect, it } from 'vitest';
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planEphemeralClaims } from './plan.ts';

const meta = { namespace: 'ns', resourceVersion: '1', creationTimestamp: '' };
const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } as const;

const pod = (more: Partial<Live<Pod>['metadata']> = {}): Live<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...meta, name: 'p', uid: 'u', ...more },
  spec: {
    containers: [],
    volumes: [
      { name: 'tmp', emptyDir: {} },
      { name: 'data', ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec } } },
    ],
  },
});
const owner = (uid: string) =>
  ({ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true, blockOwnerDeletion: true }) as const;
const claim = (uid?: string): Live<PersistentVolumeClaim> => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    ...meta,
    name: 'p-data',
    uid: 'c',
    ...(uid !== undefined && { ownerReferences: [owner(uid)] }),
  },
  spec,
});
const why = 'PVC "ns/p-data" was not created for pod "ns/p" (pod is not owner)';

it.each([
  [
    'makes what is missing',
    pod(),
    undefined,
    [
      {
        volume: 'data',
        plan: {
          do: 'create',
          claim: {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { namespace: 'ns', name: 'p-data', labels: { a: 'b' }, ownerReferences: [owner('u')] },
            spec,
          },
        },
      },
    ],
  ],
  ['needs nothing when it is there', pod(), claim('u'), []],
  ["refuses a former pod's claim", pod(), claim('old'), [{ volume: 'data', plan: { do: 'refuse', why } }]],
  ["refuses anybody's claim", pod(), claim(), [{ volume: 'data', plan: { do: 'refuse', why } }]],
  ['makes nothing for a pod that goes', pod({ deletionTimestamp: '2026-01-01T00:00:00Z' }), undefined, []],
] as const)('%s', (_, held, existing, plans) => {
  expect(planEphemeralClaims(held, (name) => (name === 'p-data' ? existing : undefined))).toEqual(plans);
});
