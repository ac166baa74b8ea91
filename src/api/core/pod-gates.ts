import { type FieldError, invalid } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import type { NodeSelectorTerm, PodSpec } from './v1.gen.ts';

const required_ = 'requiredDuringSchedulingIgnoredDuringExecution';
const termsField = `spec.affinity.nodeAffinity.${required_}.nodeSelectorTerms`;

function printedTerm(term: NodeSelectorTerm): unknown {
  const print = (list: NodeSelectorTerm['matchFields']): unknown =>
    list?.map(({ key, operator, values }) => ({ Key: key, Operator: operator, Values: values ?? null })) ??
    null;
  return { MatchExpressions: print(term.matchExpressions), MatchFields: print(term.matchFields) };
}

function onlyAdds(next: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const;
  if (lists.every((list) => !old[list]?.length)) return lists.every((list) => !next[list]?.length);
  return lists.every((list) => {
    const before = old[list] ?? [];
    return jsonEqual((next[list] ?? []).slice(0, before.length), before);
  });
}

function validateNodeAffinity(next: PodSpec, old: PodSpec): FieldError[] {
  const before = old.affinity?.nodeAffinity?.[required_]?.nodeSelectorTerms ?? [];
  const after = next.affinity?.nodeAffinity?.[required_]?.nodeSelectorTerms ?? [];
  if (before.length > 0 && before.length !== after.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    return [invalid(termsField, after.map(printedTerm), detail)];
  }
  return before.flatMap((term, index) => {
    const now = after[index] ?? {};
    if (onlyAdds(now, term)) return [];
    const detail = 'only additions are allowed (no mutations or deletions)';
    return [invalid(`${termsField}[${index}]`, printedTerm(now), detail)];
  });
}

function takeBackNodeAffinity(spec: DeepMutable<PodSpec>, old: PodSpec): void {
  const before = mutableCopy(old.affinity?.nodeAffinity);
  if (before) {
    spec.affinity = { ...spec.affinity, nodeAffinity: before };
    return;
  }
  if (!spec.affinity) return;
  delete spec.affinity.nodeAffinity;
  if (!old.affinity && !spec.affinity.podAffinity && !spec.affinity.podAntiAffinity) delete spec.affinity;
}

/**
 * A pod that waits for its scheduling gates may narrow down where it can run. Reports what only widens or changes, and
 * takes the allowed parts back in `spec`, which the caller owns.
 */
export function validateGatedChanges(spec: DeepMutable<PodSpec>, old: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const before = Object.entries(old.nodeSelector ?? {});
  if (!jsonEqual(spec.nodeSelector ?? {}, old.nodeSelector ?? {})) {
    if (before.some(([key, value]) => spec.nodeSelector?.[key] !== value)) {
      const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      errors.push(invalid('spec.nodeSelector', spec.nodeSelector, detail));
    }
    delete spec.nodeSelector;
    if (old.nodeSelector) spec.nodeSelector = mutableCopy(old.nodeSelector);
  }
  if (!jsonEqual(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity)) {
    errors.push(...validateNodeAffinity(spec, old));
    takeBackNodeAffinity(spec, old);
  }
  return errors;
}
