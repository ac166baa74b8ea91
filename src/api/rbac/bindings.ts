import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { dns1123SubdomainErrors, nameRule, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type Column, defineResource, type ResourceDefinition } from '../resource.ts';
import type { RuleScope } from './policy-rules.ts';
import {
  type ClusterRoleBinding,
  clusterrolebindings,
  type RoleBinding,
  rolebindings,
  type Subject,
} from './v1.gen.ts';

const GROUP = 'rbac.authorization.k8s.io';

type Binding = RoleBinding | ClusterRoleBinding;

/** Grants of a role, or of a cluster role, within one namespace. */
export const roleBindings: ResourceDefinition<RoleBinding> = defineResource<RoleBinding>({
  storage: 'v1',
  versions: { v1: { type: rolebindings, schema: 'io.k8s.api.rbac.v1.RoleBinding', defaults } },
  createOnUpdate: true,
  validateName: nameRule(pathSegmentNameErrors),
  validate: (binding) => validate(binding, 'namespaced'),
  validateUpdate: (next, old) => [...validate(next, 'namespaced'), ...validateSameRole(next, old)],
  columns: bindingColumns(),
});

/** Grants of a cluster role on the whole cluster. */
export const clusterRoleBindings: ResourceDefinition<ClusterRoleBinding> = defineResource<ClusterRoleBinding>(
  {
    storage: 'v1',
    versions: {
      v1: { type: clusterrolebindings, schema: 'io.k8s.api.rbac.v1.ClusterRoleBinding', defaults },
    },
    createOnUpdate: true,
    validateName: nameRule(pathSegmentNameErrors),
    validate: (binding) => validate(binding, 'cluster'),
    validateUpdate: (next, old) => [...validate(next, 'cluster'), ...validateSameRole(next, old)],
    columns: bindingColumns(),
  },
);

function defaults(binding: DeepMutable<RoleBinding> | DeepMutable<ClusterRoleBinding>): void {
  binding.roleRef = { ...binding.roleRef, apiGroup: binding.roleRef?.apiGroup || GROUP };
  for (const subject of binding.subjects ?? []) {
    if (subject.apiGroup) continue;
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup = GROUP;
  }
}

function validate({ roleRef, subjects = [] }: Binding, scope: RuleScope): FieldError[] {
  const kinds = scope === 'namespaced' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const errors: FieldError[] = [];
  const { apiGroup, kind, name } = roleRef;
  if (apiGroup !== GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [GROUP]));
  if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(required('roleRef.name'));
  else errors.push(...pathSegmentNameErrors(name).map((message) => invalid('roleRef.name', name, message)));
  return [
    ...errors,
    ...subjects.flatMap((subject, index) => validateSubject(subject, scope, `subjects[${index}]`)),
  ];
}

function validateSubject(
  { kind, name, namespace = '', apiGroup = '' }: Subject,
  scope: RuleScope,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(`${path}.name`));
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') {
        errors.push(...dns1123SubdomainErrors(name).map((message) => invalid(`${path}.name`, name, message)));
      }
      if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
      if (namespace === '' && scope === 'cluster') errors.push(required(`${path}.namespace`));
      return errors;
    case 'User':
    case 'Group':
      if (apiGroup !== GROUP) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [GROUP]));
      return errors;
    default:
      return [...errors, notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group'])];
  }
}

function validateSameRole(next: Binding, old: Binding): FieldError[] {
  if (jsonEqual(next.roleRef, old.roleRef)) return [];
  const { apiGroup, kind, name } = next.roleRef;
  return [invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef')];
}

function bindingColumns<T extends Binding>(): Column<T>[] {
  return [
    nameColumn(),
    { name: 'Role', type: 'string', cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
    ageColumn(),
    { name: 'Users', type: 'string', priority: 1, cell: (binding) => subjectNames(binding, 'User') },
    { name: 'Groups', type: 'string', priority: 1, cell: (binding) => subjectNames(binding, 'Group') },
    {
      name: 'ServiceAccounts',
      type: 'string',
      priority: 1,
      cell: (binding) => subjectNames(binding, 'ServiceAccount'),
    },
  ];
}

function subjectNames({ subjects = [] }: Binding, kind: string): string {
  return subjects
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}
