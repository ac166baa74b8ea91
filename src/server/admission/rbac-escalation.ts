import type { ClusterRole, PolicyRule, RoleBinding } from '../../api/rbac/v1.gen.ts';
import type { UserInfo } from '../../api/resource.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { newForbidden, newNotFound } from '../../machinery/status/errors.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import { rulesFor, type PolicySource } from '../auth/rbac-authorizer.ts';
import { covers, grantsOf, printGrants } from '../auth/rule-cover.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';

const group = 'rbac.authorization.k8s.io';

interface Parts {
  readonly policy: PolicySource;
  readonly authorizer: Authorizer;
}

/** Keeps users from granting what they do not hold, unless they may `escalate` or `bind` (upstream's policy-based storage). */
export function rbacEscalation(parts: Parts): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    validate(request) {
      const { object, user } = request;
      if (request.group !== group || !object || request.operation === 'DELETE') return;
      if (user.groups.includes('system:masters')) return;
      if (request.resource === 'roles' || request.resource === 'clusterroles') {
        checkRole(parts, request, object as KubeObject as ClusterRole);
      } else if (request.resource === 'rolebindings' || request.resource === 'clusterrolebindings') {
        checkBinding(parts, request, object as KubeObject as RoleBinding);
      }
    },
  };
}

function checkRole(parts: Parts, request: AdmissionRequest, role: ClusterRole): void {
  const old = request.oldObject as ClusterRole | undefined;
  if (
    old &&
    jsonEqual(old.rules ?? [], role.rules ?? []) &&
    jsonEqual(old.aggregationRule, role.aggregationRule)
  )
    return;
  if (may(parts, request, 'escalate', { resource: request.resource, name: request.name })) return;
  const { resource, name, namespace, user } = request;
  if (role.aggregationRule) {
    const everything: PolicyRule[] = [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ];
    if (missing(parts, user, { rules: everything, namespace: '' }).length > 0) {
      throw newForbidden(
        { group, resource },
        name,
        'must have cluster-admin privileges to use the aggregationRule',
      );
    }
  }
  refuseMissing(parts, request, { rules: role.rules ?? [], namespace });
}

function checkBinding(parts: Parts, request: AdmissionRequest, binding: RoleBinding): void {
  const old = request.oldObject as RoleBinding | undefined;
  if (old && jsonEqual(old.roleRef, binding.roleRef) && jsonEqual(old.subjects ?? [], binding.subjects ?? []))
    return;
  const { kind, name } = binding.roleRef;
  const resource = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (may(parts, request, 'bind', { resource, name })) return;
  const { policy } = parts;
  const role = kind === 'ClusterRole' ? policy.clusterRole(name) : policy.role(request.namespace, name);
  // Upstream names the resource of the request.
  if (!role) throw newNotFound({ group, resource: request.resource }, name);
  refuseMissing(parts, request, { rules: role.rules ?? [], namespace: request.namespace });
}

function may(
  { authorizer }: Parts,
  { user, namespace }: AdmissionRequest,
  verb: string,
  subject: { readonly resource: string; readonly name: string },
): boolean {
  return authorizer.authorize(user, { verb, group, ...subject, ...(namespace === '' ? {} : { namespace }) })
    .allowed;
}

interface Granting {
  readonly rules: readonly PolicyRule[];
  readonly namespace: string;
}

function missing(
  { policy }: Parts,
  user: UserInfo,
  { rules, namespace }: Granting,
): ReturnType<typeof grantsOf> {
  const owned = [...rulesFor(policy, user, namespace)].map(({ rule }) => rule);
  return rules.flatMap(grantsOf).filter((grant) => !owned.some((rule) => covers(rule, grant)));
}

function refuseMissing(parts: Parts, request: AdmissionRequest, granting: Granting): void {
  const { user, resource, name } = request;
  const lacking = missing(parts, user, granting);
  if (lacking.length === 0) return;
  const groups = user.groups.map((one) => JSON.stringify(one)).join(', ');
  throw newForbidden(
    { group, resource },
    name,
    `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${printGrants(lacking)}`,
  );
}
