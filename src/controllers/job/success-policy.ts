import type { JobSpec, SuccessPolicyRule } from '../../api/batch/v1.gen.ts';
import { parseIndexes } from './index-set.ts';

/** The place of the first rule of a success policy that is met; undefined when none is. */
export function metSuccessRule(
  { successPolicy, completions = 0 }: JobSpec,
  succeeded: ReadonlySet<number>,
): number | undefined {
  if (succeeded.size === 0) return undefined;
  const index = (successPolicy?.rules ?? []).findIndex((rule) => isMet(rule, completions, succeeded));
  return index < 0 ? undefined : index;
}

function isMet(
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number,
  succeeded: ReadonlySet<number>,
): boolean {
  if (succeededIndexes === undefined) {
    return succeededCount !== undefined && succeeded.size >= succeededCount;
  }
  const asked = parseIndexes(succeededIndexes, completions);
  const done = [...asked].filter((index) => succeeded.has(index)).length;
  return done >= (succeededCount ?? asked.size);
}
