import { podQos } from '../../api/core/pod-spec/pod-qos.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { insufficiency, type NodeRoom } from './insufficient-resource.ts';
import { isCriticalPod } from './refusal-of.ts';

const QOS_ORDER = ['BestEffort', 'Burstable', 'Guaranteed'];

/**
 * Which pods go so that a critical pod fits: none that is critical itself, the least important first, no more than
 * needed (the kubelet's preemption). Undefined when even all of them would not be enough.
 */
export function planPreemption(pod: Pod, { others, allocatable }: NodeRoom): readonly Pod[] | undefined {
  if (!isCriticalPod(pod)) return undefined;
  const candidates = others.filter((other) => !isCriticalPod(other)).toSorted(byImportance);
  const fitsWithout = (gone: ReadonlySet<Pod>): boolean =>
    insufficiency(pod, { allocatable, others: others.filter((other) => !gone.has(other)) }) === undefined;
  const gone = new Set<Pod>();
  for (const candidate of candidates) {
    if (fitsWithout(gone)) break;
    gone.add(candidate);
  }
  if (!fitsWithout(gone)) return undefined;
  for (const spared of [...gone].toReversed()) {
    const fewer = new Set([...gone].filter((one) => one !== spared));
    if (fitsWithout(fewer)) gone.delete(spared);
  }
  return [...gone];
}

function byImportance(a: Pod, b: Pod): number {
  const classOf = (pod: Pod): number => QOS_ORDER.indexOf(podQos(pod.spec));
  return classOf(a) - classOf(b) || (a.spec.priority ?? 0) - (b.spec.priority ?? 0);
}
