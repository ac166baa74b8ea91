import { expect, it } from 'vitest';
import type { ClusterRole, PolicyRule } from '../../api/rbac/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { aggregatedRules } from './plan.ts';

const pods: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const secrets: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['secrets'] };

function role(name: string, labels: Record<string, string>, rules: PolicyRule[]): Live<ClusterRole> {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels, uid: name, resourceVersion: '1', creationTimestamp: '' },
    rules,
  };
}

const sum: Live<ClusterRole> = {
  ...role('sum', { part: 'yes' }, []),
  aggregationRule: {
    clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }, { matchLabels: { more: 'yes' } }],
  },
};

const rows: readonly [string, readonly Live<ClusterRole>[], readonly PolicyRule[]][] = [
  ['nothing matches', [role('a', {}, [pods])], []],
  [
    'in order of names, not of rules',
    [role('b', { part: 'yes' }, [pods]), role('a', { part: 'yes' }, [secrets])],
    [secrets, pods],
  ],
  [
    'a rule of two roles counts once',
    [role('a', { part: 'yes' }, [pods]), role('b', { part: 'yes' }, [pods])],
    [pods],
  ],
  [
    'by the first selector that matches',
    [role('a', { more: 'yes' }, [pods]), role('z', { part: 'yes' }, [secrets])],
    [secrets, pods],
  ],
];

it.each(rows)('aggregates: %s', (_name, roles, expected) => {
  expect(aggregatedRules(sum, [...roles, sum])).toEqual(expected);
});
