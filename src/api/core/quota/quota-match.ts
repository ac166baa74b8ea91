import type { KubeObject } from '../../../machinery/object.ts';
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '../v1.gen.ts';
import type { QuotaEvaluator } from './quota-evaluator.ts';

function scopesOf({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
  return [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' as const })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
}

/** Whether an object is in every scope of a quota. */
export function inScopes(quota: ResourceQuota, evaluator: QuotaEvaluator, object: KubeObject): boolean {
  return scopesOf(quota).every((scope) => evaluator.inScope?.(object, scope) ?? false);
}
