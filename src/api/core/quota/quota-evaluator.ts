import type { KubeObject } from '../../../machinery/object.ts';
import type { ResourceList } from '../pod-spec/quantities.ts';
import type { ScopedResourceSelectorRequirement } from '../v1.gen.ts';

/** How objects of one resource count against quotas (upstream's `quota.Evaluator`). */
export interface QuotaEvaluator {
  /** Whether such a write is charged. */
  charges(operation: string, subresource: string): boolean;
  /** Whether a name of `spec.hard` is about this resource. */
  counts(name: string): boolean;
  /** What one object uses; `now` in milliseconds. */
  usage(object: KubeObject, now: number): ResourceList;
  /** Whether an object is in a scope. Absent: in none. */
  inScope?(object: KubeObject, scope: ScopedResourceSelectorRequirement): boolean;
  /** Why an object cannot be counted against a quota of these names: what it does not say of itself. */
  unspecified?(object: KubeObject, names: readonly string[]): string | undefined;
}
