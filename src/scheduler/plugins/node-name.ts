import type { PluginFactory } from '../framework.ts';
import { SKIP, unresolvable } from '../status.ts';

const name = 'NodeName';
const mismatch = unresolvable("node(s) didn't match the requested node name");

/** Honours `spec.nodeName` of pods that come with one. */
export const nodeName: PluginFactory = {
  name,
  create: () => ({
    name,
    preFilter: (_state, { pod }) => (pod.spec.nodeName ? undefined : SKIP),
    filter: (_state, { pod }, node) => (node.name === pod.spec.nodeName ? undefined : mismatch),
    eventsToRegister: () => [{ resource: 'Node', actions: ['Add'] }],
  }),
};
