import type { Container, Node, Pod } from '../../api/core/v1.gen.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import type { PluginFactory } from '../framework.ts';
import { SKIP, unresolvable } from '../status.ts';

const name = 'NodeDeclaredFeatures';
const mismatch = unresolvable("node(s) didn't match Pod's required features");

const restartsAll = ({ restartPolicyRules }: Container): boolean =>
  restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers') === true;

/** Features that nodes declare (KEP-5328), and which pods need them. */
const features: readonly (readonly [name: string, isNeeded: (pod: Pod) => boolean])[] = [
  [
    'RestartAllContainersOnContainerExits',
    ({ spec }) => spec.containers.some(restartsAll) || (spec.initContainers ?? []).some(restartsAll),
  ],
];

function featuresOf(pod: Pod): readonly string[] {
  return features.flatMap(([feature, isNeeded]) => (isNeeded(pod) ? [feature] : []));
}

/** Sends pods that need a feature of the node only to nodes that declare it. */
export const nodeDeclaredFeatures: PluginFactory = {
  name,
  create: () => ({
    name,
    preFilter: (_state, { pod }) => (featuresOf(pod).length > 0 ? undefined : SKIP),
    filter(_state, { pod }, { node }) {
      const declared = node.status?.declaredFeatures ?? [];
      return featuresOf(pod).every((feature) => declared.includes(feature)) ? undefined : mismatch;
    },
    eventsToRegister: () => [
      {
        resource: 'Node',
        actions: ['Add', 'UpdateNodeDeclaredFeature'],
        hint: (_pod, { previous, next }) => {
          const before = (previous as Node | undefined)?.status?.declaredFeatures;
          const after = (next as Node | undefined)?.status?.declaredFeatures;
          return previous && deepEqual(before, after) ? 'QueueSkip' : 'Queue';
        },
      },
    ],
  }),
};
