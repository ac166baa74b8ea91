import type { Pod } from '../../api/core/v1.gen.ts';
import { priorityclasses } from '../../api/scheduling/v1.gen.ts';
import type { PriorityClass } from '../../api/scheduling/v1.gen.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

const systemPrefix = 'system-';

/**
 * Turns a pod's priority class into its priority and preemption policy; keeps the system's classes, and at most one default class
 * (upstream's Priority).
 */
export function priority(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'Priority',
    validate(request) {
      if (request.group !== priorityclasses.group || request.resource !== priorityclasses.resource) return;
      if (request.operation === 'DELETE') {
        if (!request.name.startsWith(systemPrefix)) return;
        throw newRefusal(request, 'this is a system priority class and cannot be deleted');
      }
      const { globalDefault } = request.object as KubeObject as PriorityClass;
      const present = globalDefault ? defaultClass(lookup)?.metadata.name : undefined;
      if (present === undefined || present === request.name) return;
      throw newRefusal(
        request,
        `PriorityClass ${present} is already marked as default. Only one default can exist`,
      );
    },
    admit(request) {
      if (request.group !== '' || request.resource !== 'pods' || request.subresource !== '') return;
      const pod = request.object as DeepMutable<Pod>;
      if (request.operation === 'UPDATE') keepPriority(pod, request.oldObject as Pod);
      if (request.operation !== 'CREATE') return;
      let chosen: PriorityClass | undefined;
      if (pod.spec.priorityClassName) {
        chosen = lookup.get(priorityclasses, '', pod.spec.priorityClassName);
        if (!chosen)
          throw newRefusal(request, `no PriorityClass with name ${pod.spec.priorityClassName} was found`);
      } else {
        chosen = defaultClass(lookup);
        if (chosen?.metadata.name) pod.spec.priorityClassName = chosen.metadata.name;
      }
      const value = chosen?.value ?? 0;
      const policy = chosen?.preemptionPolicy === 'Never' ? 'Never' : 'PreemptLowerPriority';
      if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
        throw newRefusal(
          request,
          `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        );
      }
      if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== policy) {
        throw newRefusal(
          request,
          `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
        );
      }
      pod.spec.priority = value;
      pod.spec.preemptionPolicy = policy;
    },
  };
}

/** Whoever sends a pod back without the priority that it was given does not change it. */
function keepPriority(pod: DeepMutable<Pod>, { spec }: Pod): void {
  if (pod.spec.priority === undefined && spec.priority !== undefined) pod.spec.priority = spec.priority;
  if (pod.spec.preemptionPolicy === undefined && spec.preemptionPolicy !== undefined)
    pod.spec.preemptionPolicy = spec.preemptionPolicy;
}

/** Of several global defaults the one of lowest value counts. */
function defaultClass(lookup: Lookup): PriorityClass | undefined {
  let lowest: PriorityClass | undefined;
  for (const candidate of lookup.list(priorityclasses)) {
    if (candidate.globalDefault && (lowest === undefined || candidate.value < lowest.value))
      lowest = candidate;
  }
  return lowest;
}
