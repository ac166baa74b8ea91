import type { ClusterRole, PolicyRule } from '../../api/rbac/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';

/** The rules of every other role that one of the selectors matches, in order of names, each rule once. */
export function aggregatedRules(
  { metadata, aggregationRule }: Live<ClusterRole>,
  roles: readonly Live<ClusterRole>[],
): readonly PolicyRule[] {
  const rules: PolicyRule[] = [];
  for (const labelSelector of aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorFrom(labelSelector);
    const parts = roles
      .filter(
        (role) => role.metadata.name !== metadata.name && selectorMatches(selector, role.metadata.labels),
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const rule of parts.flatMap((part) => part.rules ?? [])) {
      if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}
