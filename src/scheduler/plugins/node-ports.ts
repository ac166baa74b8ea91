import type { PluginFactory } from '../framework.ts';
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
      { resource: 'AssignedPod', actions: ['Delete'] },
      { resource: 'Node', actions: ['Add'] },
    ],
  }),
};
