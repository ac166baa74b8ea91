import type { Pod } from '../../api/core/v1.gen.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import { stateKey, type CycleState } from '../cycle-state.ts';
import type { PluginFactory } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { SKIP, unresolvable, unschedulable, type Status } from '../status.ts';
import { affinityTerms, termMatches, termSubject, type NamespaceLabels } from './affinity-term.ts';
import {
  affinityViolation,
  changePodAffinity,
  countPodAffinity,
  isUnconcerned,
  type AffinityViolation,
  type PodAffinityCounts,
} from './pod-affinity-counts.ts';
import {
  normalizePreferences,
  podAffinityPreferences,
  preferenceScore,
  type PodAffinityPreferences,
} from './pod-affinity-preferences.ts';

const name = 'InterPodAffinity';
const counted = stateKey<PodAffinityCounts>(name);
const preferred = stateKey<PodAffinityPreferences>(name);

const statuses: Readonly<Record<AffinityViolation, Status>> = {
  affinity: unresolvable("node(s) didn't match pod affinity rules"),
  'anti-affinity': unschedulable("node(s) didn't match pod anti-affinity rules"),
  'existing-anti-affinity': unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"),
};

/** Honours affinity and anti-affinity between pods, those of pods already placed included. */
export const interPodAffinity: PluginFactory = {
  name,
  create({ snapshot }, { InterPodAffinity: args }) {
    const { namespaceLabels } = snapshot;
    const change = (
      state: CycleState,
      pod: PodInfo,
      other: PodInfo,
      by: readonly [NodeInfo, 1 | -1],
    ): void => {
      const counts = state.read(counted);
      const [{ labels }, sign] = by;
      if (counts)
        changePodAffinity(counts, { pod: pod.pod, other: other.pod, labels, change: sign, namespaceLabels });
    };
    return {
      name,
      preFilter(state, { pod }) {
        const counts = countPodAffinity(pod, snapshot.pods, namespaceLabels);
        if (isUnconcerned(counts)) return SKIP;
        state.write(counted, counts);
        return undefined;
      },
      addPod: (state, pod, added, node) => change(state, pod, added, [node, 1]),
      removePod: (state, pod, removed, node) => change(state, pod, removed, [node, -1]),
      filter(state, _pod, { labels }) {
        const counts = state.read(counted);
        const violation = counts && affinityViolation(counts, labels);
        return violation && statuses[violation];
      },
      preScore(state, { pod }) {
        const preferences = podAffinityPreferences(pod, { index: snapshot.pods, namespaceLabels, args });
        if (!preferences) return SKIP;
        state.write(preferred, preferences);
        return undefined;
      },
      score(state, _pod, { labels }) {
        const preferences = state.read(preferred);
        return preferences ? preferenceScore(preferences, labels) : 0;
      },
      normalizeScores: (_state, _pod, { scores }) => normalizePreferences(scores),
      eventsToRegister: () => [
        {
          resource: 'AssignedPod',
          actions: ['Add', 'UpdatePodLabel', 'Delete'],
          hint: (pod, event) => podChangeHint(pod.pod, event, namespaceLabels),
        },
        {
          resource: 'Node',
          actions: ['Add', 'UpdateNodeLabel'],
          hint: (pod, event) => nodeHint(pod.pod, event),
        },
        { resource: 'TargetPod', actions: ['UpdatePodLabel'] },
        { resource: 'Namespace', actions: ['Add', 'Update'] },
      ],
    };
  },
};

/**
 * A pod that comes may be the neighbour that is wanted; one that goes may be the one that was in the way, or that forbade
 * it; a change of labels either.
 */
export function podChangeHint(
  pod: Pod,
  { previous, next }: ClusterEvent,
  namespaceLabels: NamespaceLabels,
): QueueingHint {
  const { requiredAffinity = [], requiredAntiAffinity = [] } = affinityTerms(pod) ?? {};
  const before = previous as Pod | undefined;
  const after = next as Pod | undefined;
  const wanted = (other: Pod | undefined): boolean =>
    other !== undefined &&
    requiredAffinity.length > 0 &&
    requiredAffinity.every((term) => termMatches(term, termSubject(other), namespaceLabels));
  const avoided = (other: Pod | undefined): boolean =>
    other !== undefined &&
    requiredAntiAffinity.some((term) => termMatches(term, termSubject(other), namespaceLabels));
  if (before && after) {
    const mayHelp = wanted(before) !== wanted(after) || (avoided(before) && !avoided(after));
    return mayHelp ? 'Queue' : 'QueueSkip';
  }
  if (after) return wanted(after) ? 'Queue' : 'QueueSkip';
  const refused = ((before && affinityTerms(before))?.requiredAntiAffinity ?? []).some((term) =>
    termMatches(term, termSubject(pod), namespaceLabels),
  );
  return wanted(before) || avoided(before) || refused ? 'Queue' : 'QueueSkip';
}

/** A node matters that has, or no longer has, another value of a label that the pod's terms name. */
function nodeHint(pod: Pod, { previous, next }: ClusterEvent): QueueingHint {
  const { requiredAffinity = [], requiredAntiAffinity = [] } = affinityTerms(pod) ?? {};
  const differs = ({ topologyKey }: { readonly topologyKey: string }): boolean =>
    previous?.metadata.labels?.[topologyKey] !== next?.metadata.labels?.[topologyKey];
  if (requiredAffinity.some(differs)) return 'Queue';
  if (requiredAntiAffinity.length > 0) {
    return !previous || requiredAntiAffinity.some(differs) ? 'Queue' : 'QueueSkip';
  }
  return requiredAffinity.length === 0 ? 'Queue' : 'QueueSkip';
}
