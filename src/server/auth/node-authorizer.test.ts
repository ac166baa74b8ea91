import { expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import type { Lookup } from '../admission/lookup.ts';
import type { ResourceAttributes } from './authorizer.ts';
import { createNodeAuthorizer } from './node-authorizer.ts';
import { createNodeRelations } from './node-relations.ts';
import type { PolicySource } from './rbac-authorizer.ts';

function live<T extends { readonly metadata: object }>(object: T): Live<KubeObject> {
  const metadata = { uid: 'u', resourceVersion: '1', creationTimestamp: '', ...object.metadata };
  return { ...object, metadata } as object as Live<KubeObject>;
}

const pod = live({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns' },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'robot',
    imagePullSecrets: [{ name: 'pull' }],
    resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu-claim' }],
    volumes: [
      { name: 'a', secret: { secretName: 'mounted' } },
      { name: 'b', projected: { sources: [{ configMap: { name: 'projected' } }] } },
      { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'd', ephemeral: {} },
    ],
    containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'settings' } }] }],
  },
}) as object as Live<Pod>;

const objects = new Map<string, Live<KubeObject>>([
  ['persistentvolumeclaims/ns/data', live({ metadata: { name: 'data' }, spec: { volumeName: 'disk' } })],
  [
    'persistentvolumes//disk',
    live({
      metadata: { name: 'disk' },
      spec: {
        claimRef: { namespace: 'ns', name: 'data' },
        csi: {
          driver: 'd',
          volumeHandle: 'h',
          nodeStageSecretRef: { namespace: 'kube-system', name: 'stage' },
        },
      },
    }),
  ],
  ['persistentvolumes//stolen', live({ metadata: { name: 'stolen' }, spec: {} })],
  ['volumeattachments//mine', live({ metadata: { name: 'mine' }, spec: { nodeName: 'n1' } })],
  ['volumeattachments//other', live({ metadata: { name: 'other' }, spec: { nodeName: 'n2' } })],
]);

const lookup: Lookup = {
  get: <T extends KubeObject>({ resource }: ResourceType<T>, namespace: string, name: string) =>
    objects.get(`${resource}/${namespace}/${name}`) as Live<T> | undefined,
  list: () => [],
};

const policy: PolicySource = {
  clusterRole: () => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'system:node' },
    rules: [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }],
  }),
  role: () => undefined,
  clusterRoleBindings: () => [],
  roleBindings: () => [],
};

const authorizer = createNodeAuthorizer({
  policy,
  relations: createNodeRelations(lookup, (node) => (node === 'n1' ? [pod] : [])),
  next: { authorize: () => ({ allowed: false, reason: '' }) },
});

/** `verb group/resource/subresource namespace/name?selector` as node n1. */
function decide(text: string, node: string): string {
  const [verb = '', path = '', where = ''] = text.split(' ');
  const [group = '', resource = '', subresource = ''] = path.split('/');
  const [target = '', fieldSelector = ''] = where.split('?');
  const [namespace = '', name = ''] = target.split('/');
  const attributes: ResourceAttributes = {
    verb,
    group,
    resource,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(fieldSelector ? { fieldSelector } : {}),
  };
  const decision = authorizer.authorize(
    { name: `system:node:${node}`, groups: ['system:nodes'] },
    attributes,
  );
  return decision.allowed ? 'yes' : decision.reason;
}

const unrelated = "no relationship found between node 'n1' and this object";

it.each([
  ['get /secrets ns/pull', 'yes'],
  ['watch /secrets ns/mounted', 'yes'],
  ['get /secrets ns/other', unrelated],
  ['get /secrets elsewhere/pull', unrelated],
  ['get /secrets kube-system/stage', 'yes'],
  ['list /secrets ns', 'No Object name found'],
  ['list /secrets', 'can only read namespaced object of this type'],
  ['delete /secrets ns/pull', 'can only read resources of this type'],
  ['get /configmaps ns/projected', 'yes'],
  ['get /configmaps ns/settings', 'yes'],
  ['get /persistentvolumeclaims ns/data', 'yes'],
  ['get /persistentvolumeclaims ns/p-d', 'yes'],
  ['patch /persistentvolumeclaims/status ns/data', 'yes'],
  ['list /persistentvolumeclaims ns', 'can only get individual resources of this type'],
  ['get /persistentvolumes /disk', 'yes'],
  ['get /persistentvolumes /stolen', unrelated],
  ['get storage.k8s.io/volumeattachments /mine', 'yes'],
  ['get storage.k8s.io/volumeattachments /other', unrelated],
  ['get resource.k8s.io/resourceclaims ns/gpu-claim', 'yes'],
  ['create /serviceaccounts/token ns/robot', 'yes'],
  ['create /serviceaccounts/token ns/default', unrelated],
  ['get /serviceaccounts ns/robot', 'can only create tokens for individual service accounts'],
  ['get /pods ns/p', 'yes'],
  ['get /pods ns/q', unrelated],
  ['list /pods ?spec.nodeName=n1', 'yes'],
  ['list /pods ?spec.nodeName=n2', 'can only list/watch pods with spec.nodeName field selector'],
  ['update /pods/status ns/q', 'yes'],
  ['get /nodes /n1', 'yes'],
  ['get /nodes /n2', "node 'n1' cannot read 'n2', only its own Node object"],
  ['list /nodes', "node 'n1' cannot read all nodes, only its own Node object"],
  ['update coordination.k8s.io/leases kube-node-lease/n1', 'yes'],
  [
    'get coordination.k8s.io/leases default/n1',
    'can only access leases in the "kube-node-lease" system namespace',
  ],
  ['get storage.k8s.io/csinodes /n2', 'can only access CSINode with the same name as the requesting node'],
  ['list /services', 'yes'],
  ['delete /services ns/x', ''],
])('a node asks to %s: %s', (request, expected) => {
  expect(decide(request, 'n1')).toBe(expected);
});
