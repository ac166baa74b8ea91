import type { QuotaEvaluator } from '../../api/core/quota/quota-evaluator.ts';
import { inScopes } from '../../api/core/quota/quota-match.ts';
import { masked, total } from '../../api/core/quota/resource-lists.ts';
import type { ResourceQuota } from '../../api/core/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { canonicalQuantity } from '../../machinery/quantity.ts';

/** The objects of one resource in the quota's namespace. */
export interface CountedObjects {
  readonly evaluator: QuotaEvaluator;
  readonly objects: readonly KubeObject[];
}

/** What the namespace uses of what the quota limits. Names that no resource counts for keep what was last known of them. */
export function planUsage(
  quota: ResourceQuota,
  counted: readonly CountedObjects[],
  now: number,
): Record<string, string> {
  const names = Object.keys(quota.spec?.hard ?? {});
  let used = masked(quota.status?.used ?? {}, names);
  for (const { evaluator, objects } of counted) {
    const own = names.filter((name) => evaluator.counts(name));
    let sum: Record<string, string> = Object.fromEntries(own.map((name) => [name, '0']));
    for (const object of objects) {
      if (inScopes(quota, evaluator, object)) sum = total(sum, masked(evaluator.usage(object, now), own));
    }
    used = { ...used, ...sum };
  }
  return Object.fromEntries(Object.entries(used).map(([name, value]) => [name, canonicalQuantity(value)]));
}
