import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { PluginFactory } from '../framework.ts';
import { HostPorts } from '../host-ports.ts';
import { podInfo, type PodInfo } from '../pod-info.ts';
import { SKIP, unschedulable } from '../status.ts';

const name = 'NodePorts';
const taken = unschedulable("node(s) didn't have free ports for the requested pod ports");

/** Keeps pods apart that ask for the same port of the node. */
export const nodePorts: PluginFactory = {
  name,
  create: () => ({
    name,
    preFilter: (_state, { hostPorts }) => (hostPorts.length > 0 ? undefined : SKIP),
    filter: (_state, { hostPorts }, { usedPorts }) =>
      hostPorts.some((port) => usedPorts.conflicts(port)) ? taken : undefined,
    eventsToRegister: () => [
      {
        resource: 'AssignedPod',
        actions: ['Delete'],
        hint: (pod, { previous }) =>
          previous && conflict(pod, podInfo(previous as Live<Pod>)) ? 'Queue' : 'QueueSkip',
      },
      { resource: 'Node', actions: ['Add'] },
    ],
  }),
};

function conflict(a: PodInfo, b: PodInfo): boolean {
  const ports = new HostPorts();
  for (const port of b.hostPorts) ports.add(port);
  return a.hostPorts.some((port) => ports.conflicts(port));
}
