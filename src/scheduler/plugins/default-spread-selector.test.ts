import { describe, expect, it } from 'vitest';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { printSelector } from '../../machinery/selectors/label-selector.ts';
import { staticInformers } from '../../reconcile/static-informers.ts';
import { defaultSpreadSelector } from './default-spread-selector.ts';
import { pod } from './testdata/objects.ts';

type Labels = Readonly<Record<string, string>>;

const object = (apiVersion: string, kind: string, name: string, spec: object): Live<KubeObject> => {
  const made: KubeObject & { readonly spec: object } = {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec,
  };
  return made as Live<KubeObject>;
};
const service = (name: string, selector?: Labels): Live<KubeObject> =>
  object('v1', 'Service', name, { ...(selector && { selector }) });
const owned = (apiVersion: string, kind: string): object => ({
  ownerReferences: [{ apiVersion, kind, name: 'o', uid: 'o', controller: true }],
});

describe('defaultSpreadSelector', () => {
  it.each<[string, object, readonly Live<KubeObject>[], string]>([
    ['nothing for a pod that nobody owns or serves', {}, [], ''],
    ['the selector of its service', {}, [service('s', { app: 'web' })], 'app=web'],
    ['nothing of other services', {}, [service('s', { app: 'db' }), service('t'), service('u', {})], ''],
    [
      'those of its services together',
      {},
      [service('s', { app: 'web' }), service('t', { tier: 'front' })],
      'app=web,tier=front',
    ],
    [
      'that of its replica set',
      owned('apps/v1', 'ReplicaSet'),
      [object('apps/v1', 'ReplicaSet', 'o', { selector: { matchLabels: { app: 'web' } } })],
      'app=web',
    ],
    [
      'that of its stateful set beside its service',
      owned('apps/v1', 'StatefulSet'),
      [
        service('s', { tier: 'front' }),
        object('apps/v1', 'StatefulSet', 'o', { selector: { matchLabels: { app: 'web' } } }),
      ],
      'tier=front,app=web',
    ],
    [
      'that of its replication controller',
      owned('v1', 'ReplicationController'),
      [object('v1', 'ReplicationController', 'o', { selector: { app: 'web' } })],
      'app=web',
    ],
    ['nothing of another owner', owned('batch/v1', 'Job'), [], ''],
  ])('finds %s', (_name, metadata, objects, expected) => {
    const subject = pod('p', {}, { labels: { app: 'web', tier: 'front' }, ...metadata });
    expect(printSelector(defaultSpreadSelector(staticInformers(objects))(subject))).toBe(expected);
  });
});
