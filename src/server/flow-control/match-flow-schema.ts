import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../api/flowcontrol/v1.gen.ts';
import type { UserInfo } from '../../api/resource.ts';
import type { RequestInfo, ResourceInfo } from '../http/request-info.ts';

/** Who asks for what. */
export interface FlowSubject {
  readonly user: UserInfo;
  readonly info: RequestInfo;
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes('*');
}

function isSubject({ kind, user, group, serviceAccount }: Subject, { name, groups }: UserInfo): boolean {
  if (kind === 'User') return user?.name === '*' || user?.name === name;
  if (kind === 'Group') return group?.name === '*' || groups.includes(group?.name ?? '');
  if (kind !== 'ServiceAccount' || !serviceAccount) return false;
  const accounts = `system:serviceaccount:${serviceAccount.namespace}:`;
  return serviceAccount.name === '*'
    ? name.startsWith(accounts)
    : name === `${accounts}${serviceAccount.name}`;
}

function matchesResource(rule: ResourcePolicyRule, info: ResourceInfo): boolean {
  const resource = info.subresource === undefined ? info.resource : `${info.resource}/${info.subresource}`;
  return (
    includes(rule.verbs, info.verb) &&
    includes(rule.apiGroups, info.group) &&
    includes(rule.resources, resource) &&
    (info.namespace === undefined
      ? rule.clusterScope === true
      : includes(rule.namespaces ?? [], info.namespace))
  );
}

function matchesPath({ verbs, nonResourceURLs }: NonResourcePolicyRule, verb: string, path: string): boolean {
  if (!includes(verbs, verb)) return false;
  return nonResourceURLs.some(
    (url) => url === path || url === '*' || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))),
  );
}

function matchesRules(rules: PolicyRulesWithSubjects, { user, info }: FlowSubject): boolean {
  if (!rules.subjects.some((subject) => isSubject(subject, user))) return false;
  return info.isResource
    ? (rules.resourceRules ?? []).some((rule) => matchesResource(rule, info))
    : (rules.nonResourceRules ?? []).some((rule) => matchesPath(rule, info.verb, info.path));
}

/** Whether a request belongs to a flow schema: one of its subjects asks for what one of their rules names. */
export function matchesFlowSchema({ spec }: FlowSchema, subject: FlowSubject): boolean {
  return (spec.rules ?? []).some((rules) => matchesRules(rules, subject));
}
