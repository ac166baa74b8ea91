import { expect, it } from 'vitest';
import type { KubeObject } from '../../machinery/object.ts';
import { reconciledPolicy } from './reconcile-policy.ts';

const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const metadata = { name: 'x', annotations };
const base = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata };
const getPods = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] };
const own = { verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] };
const role = { ...base, rules: [getPods] };
const alice = { kind: 'User', name: 'alice', apiGroup: 'rbac.authorization.k8s.io' };
const bob = { kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' };
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
const binding = { ...base, kind: 'ClusterRoleBinding', roleRef, subjects: [alice] };

const rows: readonly { readonly name: string; held: KubeObject; wanted: KubeObject; result: unknown }[] = [
  { name: 'what is complete stays', held: role, wanted: role, result: undefined },
  {
    name: 'rules that were added stay, verbs that were taken away come back',
    held: { ...base, rules: [{ ...getPods, verbs: ['get'] }, own] } as KubeObject,
    wanted: role,
    result: {
      ...base,
      rules: [{ ...getPods, verbs: ['get'] }, own, { verbs: ['list'], apiGroups: [''], resources: ['pods'] }],
    },
  },
  {
    name: 'what says so is left alone',
    held: {
      ...base,
      metadata: { name: 'x', annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
      rules: [],
    } as KubeObject,
    wanted: role,
    result: undefined,
  },
  {
    name: 'subjects that were added stay, others come back',
    held: { ...binding, subjects: [bob] } as KubeObject,
    wanted: binding,
    result: { ...binding, subjects: [bob, alice] },
  },
  {
    name: 'a binding to another role is made anew',
    held: { ...binding, roleRef: { ...roleRef, name: 'edit' }, subjects: [bob] } as KubeObject,
    wanted: binding,
    result: binding,
  },
  {
    name: 'an aggregated role gets its selectors back, not its rules',
    held: { ...base, rules: [own] } as KubeObject,
    wanted: {
      ...base,
      rules: [getPods],
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
    } as KubeObject,
    result: {
      ...base,
      rules: [own],
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
    },
  },
];

it.each(rows)('$name', ({ held, wanted, result }) => {
  expect(reconciledPolicy(held, wanted)).toEqual(result);
});
