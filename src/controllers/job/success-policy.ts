import type { JobSpec, SuccessPolicyRule } from '../../api/batch/v1.gen.ts';
import { IndexSet } from './index-set.ts';

/** The place of the first rule of a success policy that is met; undefined when none is. */
export function metSuccessRule(
  { successPolicy, completions = 0 }: JobSpec,
  succeeded: IndexSet,
): number | undefined {
  if (succeeded.size === 0) return undefined;
  const index = (successPolicy?.rules ?? []).findIndex((rule) => isMet(rule, completions, succeeded));
  return index < 0 ? undefined : index;
}

function isMet(
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number,
  succeeded: IndexSet,
): boolean {
  if (succeededIndexes === undefined) {
    return succeededCount !== undefined && succeeded.size >= succeededCount;
  }
  const asked = IndexSet.parse(succeededIndexes, completions);
  return asked.countIn(succeeded) >= (succeededCount ?? asked.size);
}
