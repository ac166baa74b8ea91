import type { PluginFactory } from '../framework.ts';
import { unresolvable } from '../status.ts';

const name = 'SchedulingGates';

/** Keeps pods out of the queue as long as they have scheduling gates. */
export const schedulingGates: PluginFactory = {
  name,
  create: () => ({
    name,
    preEnqueue({ pod }) {
      const gates = (pod.spec.schedulingGates ?? []).map((gate) => gate.name);
      if (gates.length === 0) return undefined;
      return unresolvable(`waiting for scheduling gates: [${gates.join(' ')}]`);
    },
    eventsToRegister: () => [{ resource: 'TargetPod', actions: ['UpdatePodSchedulingGatesEliminated'] }],
  }),
};
