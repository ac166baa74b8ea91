import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { clusterRoleBindings, roleBindings } from './bindings.ts';
import { clusterRoles } from './cluster-roles.ts';
import { roles } from './roles.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, RoleBinding, Subject } from './v1.gen.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const apiGroup = 'rbac.authorization.k8s.io';

function texts(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

describe('rules', () => {
  it.each<[string, PolicyRule, string[]]>([
    ['good', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, []],
    [
      'no verbs',
      { verbs: [], apiGroups: [''], resources: ['pods'] },
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
    ],
    [
      'no group',
      { verbs: ['get'], resources: ['pods'] },
      ['rules[0].apiGroups: Required value: resource rules must supply at least one api group'],
    ],
    [
      'no resource',
      { verbs: ['get'], apiGroups: [''] },
      ['rules[0].resources: Required value: resource rules must supply at least one resource'],
    ],
    [
      'paths',
      { verbs: ['get'], nonResourceURLs: ['/x'] },
      ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ],
  ])('of a role: %s', (_name, rule, errors) => {
    expect(texts(roles.validate?.({ apiVersion, kind: 'Role', metadata: {}, rules: [rule] }))).toEqual(
      errors,
    );
  });

  it('of a cluster role name paths or resources, not both', () => {
    const rule = { verbs: ['get'], nonResourceURLs: ['/x'], resources: ['pods'] };
    const role: ClusterRole = {
      apiVersion,
      kind: 'ClusterRole',
      metadata: {},
      rules: [rule],
      aggregationRule: {},
    };
    expect(texts(clusterRoles.validate?.(role))).toEqual([
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ]);
  });
});

function binding(subjects: readonly Subject[], kind: string = 'ClusterRole'): RoleBinding {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: {},
    roleRef: { apiGroup, kind, name: 'view' },
    subjects,
  };
}

describe('bindings', () => {
  it('fill in the group of users, groups and the role', () => {
    const written = mutableCopy(
      binding([
        { kind: 'User', name: 'jane' },
        { kind: 'ServiceAccount', name: 'x', namespace: 'n' },
      ]),
    );
    written.roleRef.apiGroup = '';
    roleBindings.versions['v1']?.defaults?.(written);
    expect(written.roleRef.apiGroup).toBe(apiGroup);
    expect(written.subjects?.map((subject) => subject.apiGroup)).toEqual([apiGroup, undefined]);
  });

  it.each<[string, RoleBinding, string[]]>([
    ['good', binding([{ kind: 'Group', apiGroup, name: 'devs' }], 'Role'), []],
    ['account of the same namespace', binding([{ kind: 'ServiceAccount', name: 'x' }]), []],
    [
      'odd role',
      binding([], 'Pod'),
      ['roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole"'],
    ],
    [
      'odd subject',
      binding([{ kind: 'Robot', name: 'x' }]),
      ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
    ],
    [
      'nameless subject',
      binding([{ kind: 'User', apiGroup, name: '' }]),
      ['subjects[0].name: Required value'],
    ],
    [
      'account with a group',
      binding([{ kind: 'ServiceAccount', name: 'x', apiGroup }]),
      [`subjects[0].apiGroup: Unsupported value: "${apiGroup}": supported values: ""`],
    ],
    [
      'user of another group',
      binding([{ kind: 'User', name: 'x', apiGroup: 'e.com' }]),
      [`subjects[0].apiGroup: Unsupported value: "e.com": supported values: "${apiGroup}"`],
    ],
  ])('validate: %s', (_name, object, errors) => {
    expect(texts(roleBindings.validate?.(object))).toEqual(errors);
  });

  it('of the cluster need cluster roles and whole names of accounts', () => {
    const object: ClusterRoleBinding = {
      ...binding([{ kind: 'ServiceAccount', name: 'x' }], 'Role'),
      kind: 'ClusterRoleBinding',
    };
    expect(texts(clusterRoleBindings.validate?.(object))).toEqual([
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'subjects[0].namespace: Required value',
    ]);
  });

  it('keep their role', () => {
    const meta = { name: 'b', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
    const old = { ...binding([]), metadata: meta };
    const next = { ...old, roleRef: { apiGroup, kind: 'ClusterRole', name: 'edit' } };
    expect(texts(roleBindings.validateUpdate?.(next, old))).toEqual([
      `roleRef: Invalid value: {"APIGroup":"${apiGroup}","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef`,
    ]);
  });

  it('print their subjects', () => {
    const object = {
      ...binding([
        { kind: 'User', name: 'jane' },
        { kind: 'User', name: 'joe' },
        { kind: 'ServiceAccount', name: 'x', namespace: 'n' },
      ]),
      metadata: { name: 'b' },
    };
    expect(roleBindings.columns?.map((column) => column.cell(object, 0))).toEqual([
      'b',
      'ClusterRole/view',
      '<unknown>',
      'jane, joe',
      '',
      'n/x',
    ]);
  });
});
