import { describe, expect, it } from 'vitest';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { nodeRestriction } from './node-restriction.ts';

function live(object: { readonly metadata: object; readonly spec?: object }): Live<KubeObject> {
  const metadata = { resourceVersion: '1', creationTimestamp: '', ...object.metadata };
  return { ...object, metadata } as object as Live<KubeObject>;
}

const projected = { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] };
const objects = new Map<string, Live<KubeObject>>([
  ['nodes//n1', live({ metadata: { name: 'n1', uid: 'node-uid' } })],
  [
    'pods/ns/here',
    live({
      metadata: { name: 'here', namespace: 'ns', uid: 'here-uid' },
      spec: { nodeName: 'n1', containers: [], volumes: [{ name: 'v', projected }] },
    }),
  ],
  [
    'pods/ns/there',
    live({
      metadata: { name: 'there', namespace: 'ns', uid: 'there-uid' },
      spec: { nodeName: 'n2', containers: [] },
    }),
  ],
]);

const lookup: Lookup = {
  get: <T extends KubeObject>({ resource }: ResourceType<T>, namespace: string, name: string) =>
    objects.get(`${resource}/${namespace}/${name}`) as Live<T> | undefined,
  list: () => [],
};

const plugin = nodeRestriction({
  lookup,
  authorizer: {
    authorize: (_user, attributes) => ({
      allowed: 'resource' in attributes && attributes.resource === 'granted',
      reason: '',
    }),
  },
});

interface Asked extends Partial<Omit<AdmissionRequest, 'object' | 'oldObject'>> {
  readonly object?: object;
  readonly oldObject?: object;
}

/** The detail of the refusal; undefined when node n1 may. */
async function ask(asked: Asked): Promise<string | undefined> {
  const request = {
    operation: 'CREATE',
    user: { name: 'system:node:n1', groups: ['system:nodes'] },
    group: '',
    version: 'v1',
    subresource: '',
    namespace: 'ns',
    name: '',
    ...asked,
  } as object as AdmissionRequest;
  try {
    await plugin.validate?.(request);
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error.message.replace(/^.* is forbidden: /, '');
  }
}

const node = (labels: Record<string, string>, more: object = {}): object => ({
  metadata: { name: 'n1', labels, ...more },
  spec: {},
});

const mirror = (metadata: object = {}, spec: object = {}): object => ({
  metadata: {
    name: 'm',
    annotations: { 'kubernetes.io/config.mirror': 'x' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'node-uid', controller: true }],
    ...metadata,
  },
  spec: { nodeName: 'n1', containers: [], ...spec },
});

const tokenRequest = (name: string, audiences: readonly string[]): Asked => ({
  resource: 'serviceaccounts',
  subresource: 'token',
  name: 'default',
  object: {
    spec: { audiences, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid: `${name}-uid` } },
  },
});

describe('a node', () => {
  const rows: readonly [string, Asked, string | undefined][] = [
    [
      'registers itself',
      { resource: 'nodes', name: 'n1', object: node({ 'kubernetes.io/hostname': 'n1', own: 'x' }) },
      undefined,
    ],
    [
      'takes no role',
      { resource: 'nodes', name: 'n1', object: node({ 'node-role.kubernetes.io/control-plane': '' }) },
      'node "n1" is not allowed to set the following labels: node-role.kubernetes.io/control-plane',
    ],
    [
      'changes no label that is kept from nodes',
      {
        resource: 'nodes',
        name: 'n1',
        operation: 'UPDATE',
        object: node({ 'node-restriction.kubernetes.io/a': '1', 'node.kubernetes.io/b': '1' }),
        oldObject: node({}),
      },
      'is not allowed to modify labels: node-restriction.kubernetes.io/a',
    ],
    [
      'gets no owner',
      {
        resource: 'nodes',
        name: 'n1',
        operation: 'UPDATE',
        object: node({}, { ownerReferences: [{ name: 'x' }] }),
        oldObject: node({}),
      },
      'node "n1" is not allowed to modify ownerReferences',
    ],
    ['makes mirror pods', { resource: 'pods', object: mirror() }, undefined],
    [
      'makes no other pods',
      { resource: 'pods', object: mirror({ annotations: {} }) },
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    ],
    [
      'makes no mirror pods of an owner that does not control them',
      {
        resource: 'pods',
        object: mirror({
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'node-uid' }],
        }),
      },
      'node "n1" can only create pods with a controller owner reference set to itself',
    ],
    [
      'makes no mirror pods that read secrets',
      { resource: 'pods', object: mirror({}, { imagePullSecrets: [{ name: 's' }] }) },
      'node "n1" can not create pods that reference secrets',
    ],
    [
      'deletes no pods of others',
      { resource: 'pods', operation: 'DELETE', name: 'there' },
      'node "n1" can only delete pods with spec.nodeName set to itself',
    ],
    ['gets tokens for the audiences of its pods', tokenRequest('here', ['vault']), undefined],
    ['and for those that it is granted', tokenRequest('here', ['granted']), undefined],
    [
      'but for no other',
      tokenRequest('here', ['else']),
      'audience "else" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
    ],
    [
      'and for no pod elsewhere',
      tokenRequest('there', ['vault']),
      'node requested token bound to a pod scheduled on a different node',
    ],
    [
      'makes only its own lease',
      {
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'kube-node-lease',
        object: { metadata: { name: 'n2' } },
      },
      'can only access node lease with the same name as the requesting node',
    ],
    [
      'makes resource slices of its own',
      {
        group: 'resource.k8s.io',
        resource: 'resourceslices',
        object: { metadata: {}, spec: { nodeName: 'n2' } },
      },
      'can only create ResourceSlice with the same NodeName as the requesting node',
    ],
    [
      'resizes no claim',
      {
        resource: 'persistentvolumeclaims',
        subresource: 'status',
        operation: 'UPDATE',
        object: { metadata: {}, status: { capacity: { storage: '2Gi' }, phase: 'Lost' } },
        oldObject: { metadata: {}, status: { capacity: { storage: '1Gi' }, phase: 'Bound' } },
      },
      'node "n1" is not allowed to update fields other than status.capacity and status.conditions',
    ],
    [
      'but reports what it has become',
      {
        resource: 'persistentvolumeclaims',
        subresource: 'status',
        operation: 'UPDATE',
        object: { metadata: {}, status: { capacity: { storage: '2Gi' }, phase: 'Bound' } },
        oldObject: { metadata: {}, status: { capacity: { storage: '1Gi' }, phase: 'Bound' } },
      },
      undefined,
    ],
  ];
  it.each(rows)('%s', async (...[, asked, refusal]) => {
    expect(await ask(asked)).toBe(refusal);
  });
});
