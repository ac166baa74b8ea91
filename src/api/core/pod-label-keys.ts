import type { DeepMutable } from '../../machinery/object.ts';
import type { Pod, PodAffinityTerm } from './v1.gen.ts';

function mergeInto(
  term: DeepMutable<Pick<PodAffinityTerm, 'labelSelector'>>,
  keys: readonly string[],
  operator: 'In' | 'NotIn',
  labels: Readonly<Record<string, string>>,
): void {
  const selector = term.labelSelector;
  if (!selector) return;
  for (const key of keys) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }];
  }
}

/** Turns `matchLabelKeys` and `mismatchLabelKeys` into requirements with the pod's own label values, once, on create. */
export function mergeLabelKeys(pod: DeepMutable<Pod>): void {
  const labels = pod.metadata.labels ?? {};
  const { affinity, topologySpreadConstraints } = pod.spec;
  for (const kind of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    const terms = [
      ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => one.podAffinityTerm),
    ];
    for (const term of terms) {
      mergeInto(term, term.matchLabelKeys ?? [], 'In', labels);
      mergeInto(term, term.mismatchLabelKeys ?? [], 'NotIn', labels);
    }
  }
  for (const constraint of topologySpreadConstraints ?? []) {
    mergeInto(constraint, constraint.matchLabelKeys ?? [], 'In', labels);
  }
}
