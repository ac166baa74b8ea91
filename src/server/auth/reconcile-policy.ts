import type { PolicyRule, RoleRef, Subject } from '../../api/rbac/v1.gen.ts';
import type { LabelSelector } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { covers, grantsOf, type SingleGrant } from './rule-cover.ts';

const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

/** A role or a binding, of either scope. */
interface PolicyObject extends KubeObject {
  readonly rules?: readonly PolicyRule[];
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] };
  readonly roleRef?: RoleRef;
  readonly subjects?: readonly Subject[];
}

/**
 * A role or binding of the bootstrap policy as it should be after a start: with the rules, selectors and subjects that somebody
 * took away, and with those that somebody added. Undefined when nothing is missing, or when the object says that it is not to be
 * updated (annotation `rbac.authorization.kubernetes.io/autoupdate: "false"`).
 */
export function reconciledPolicy(existing: KubeObject, expected: KubeObject): KubeObject | undefined {
  const [held, wanted] = [existing as PolicyObject, expected as PolicyObject];
  if (held.metadata.annotations?.[autoUpdate] === 'false') return undefined;
  if (wanted.roleRef && !jsonEqual(held.roleRef, wanted.roleRef))
    return { ...wanted, metadata: held.metadata };
  const missingRules = wanted.aggregationRule ? [] : uncovered(held.rules ?? [], wanted.rules ?? []);
  const missingSubjects = missingOf(held.subjects, wanted.subjects);
  const missingSelectors = missingOf(
    held.aggregationRule?.clusterRoleSelectors,
    wanted.aggregationRule?.clusterRoleSelectors,
  );
  const metadata = {
    ...held.metadata,
    ...united('labels', held, wanted),
    ...united('annotations', held, wanted),
  };
  const isComplete =
    missingRules.length === 0 &&
    missingSubjects.length === 0 &&
    missingSelectors.length === 0 &&
    jsonEqual(metadata, held.metadata);
  if (isComplete) return undefined;
  const selectors = [...(held.aggregationRule?.clusterRoleSelectors ?? []), ...missingSelectors];
  const result: PolicyObject = {
    ...held,
    metadata,
    ...(missingRules.length > 0 ? { rules: [...(held.rules ?? []), ...missingRules] } : {}),
    ...(missingSubjects.length > 0 ? { subjects: [...(held.subjects ?? []), ...missingSubjects] } : {}),
    ...(missingSelectors.length > 0 ? { aggregationRule: { clusterRoleSelectors: selectors } } : {}),
  };
  return result;
}

function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted
    .flatMap(grantsOf)
    .filter((grant) => !held.some((rule) => covers(rule, grant)))
    .map(ruleOf);
}

function ruleOf({ verb, group, resource, resourceName, path }: SingleGrant): PolicyRule {
  return {
    verbs: [verb],
    ...(group === undefined ? {} : { apiGroups: [group] }),
    ...(resource === undefined ? {} : { resources: [resource] }),
    ...(resourceName === undefined ? {} : { resourceNames: [resourceName] }),
    ...(path === undefined ? {} : { nonResourceURLs: [path] }),
  };
}

function missingOf<T>(held: readonly T[] = [], wanted: readonly T[] = []): T[] {
  return wanted.filter((one) => !held.some((other) => jsonEqual(one, other)));
}

/** What somebody has set counts more than what the policy says. */
function united(
  member: 'labels' | 'annotations',
  held: KubeObject,
  wanted: KubeObject,
): Partial<Record<typeof member, Readonly<Record<string, string>>>> {
  const values = { ...wanted.metadata[member], ...held.metadata[member] };
  return Object.keys(values).length > 0 ? { [member]: values } : {};
}
