import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '../../api/rbac/v1.gen.ts';
import type { UserInfo } from '../../api/resource.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';

/** The policy as the server's caches hold it. */
export interface PolicySource {
  clusterRole(name: string): ClusterRole | undefined;
  role(namespace: string, name: string): Role | undefined;
  clusterRoleBindings(): Iterable<ClusterRoleBinding>;
  roleBindings(namespace: string): Iterable<RoleBinding>;
}

/** A rule that applies to a user, and which binding says so. */
export interface ApplicableRule {
  readonly rule: PolicyRule;
  readonly because: string;
}

/** Role-based access control as rbac.authorization.k8s.io/v1 defines it; members of `system:masters` may do everything. */
export function createRbacAuthorizer(source: PolicySource): Authorizer {
  return {
    authorize(user, attributes): Decision {
      if (user.groups.includes('system:masters')) return { allowed: true, reason: '' };
      const namespace = 'resource' in attributes ? attributes.namespace : undefined;
      for (const { rule, because } of rulesFor(source, user, namespace)) {
        if (ruleAllows(rule, attributes)) return { allowed: true, reason: because };
      }
      return { allowed: false, reason: '' };
    },
  };
}

/** Every rule that applies to a user cluster-wide and, when given, in one namespace. */
export function* rulesFor(
  source: PolicySource,
  user: UserInfo,
  namespace: string | undefined,
): Generator<ApplicableRule> {
  for (const binding of source.clusterRoleBindings()) {
    const subject = binding.subjects?.find((one) => isSubject(one, user, ''));
    if (!subject) continue;
    const because = `RBAC: allowed by ClusterRoleBinding "${binding.metadata.name}" of ClusterRole "${binding.roleRef.name}" to ${described(subject, '')}`;
    for (const rule of source.clusterRole(binding.roleRef.name)?.rules ?? []) yield { rule, because };
  }
  if (!namespace) return;
  for (const binding of source.roleBindings(namespace)) {
    const subject = binding.subjects?.find((one) => isSubject(one, user, namespace));
    if (!subject) continue;
    const { kind, name } = binding.roleRef;
    const role = kind === 'ClusterRole' ? source.clusterRole(name) : source.role(namespace, name);
    const because = `RBAC: allowed by RoleBinding "${binding.metadata.name}/${namespace}" of ${kind} "${name}" to ${described(subject, namespace)}`;
    for (const rule of role?.rules ?? []) yield { rule, because };
  }
}

function isSubject(subject: Subject, user: UserInfo, namespace: string): boolean {
  if (subject.kind === 'User') return subject.name === user.name;
  if (subject.kind === 'Group') return user.groups.includes(subject.name);
  if (subject.kind !== 'ServiceAccount') return false;
  return user.name === `system:serviceaccount:${subject.namespace || namespace}:${subject.name}`;
}

function described(subject: Subject, namespace: string): string {
  if (subject.kind === 'ServiceAccount')
    return `ServiceAccount "${subject.name}/${subject.namespace || namespace}"`;
  return `${subject.kind} "${subject.name}"`;
}

/** Whether one rule covers a request (upstream's `RuleAllows`). */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!includes(rule.verbs, attributes.verb)) return false;
  if ('path' in attributes)
    return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, attributes.path));
  if (!includes(rule.apiGroups ?? [], attributes.group)) return false;
  const names = rule.resourceNames ?? [];
  if (names.length > 0 && !names.includes(attributes.name ?? '')) return false;
  const { resource, subresource } = attributes;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return (rule.resources ?? []).some(
    (entry) =>
      entry === '*' || entry === combined || (subresource !== undefined && entry === `*/${subresource}`),
  );
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

/** `*` at the end stands for anything that follows. */
function pathMatches(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1).replace(/\*+$/, ''));
}
