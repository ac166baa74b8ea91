import type { Node, Pod } from '../../api/core/v1.gen.ts';
import { selectorMatches, type Selector } from '../../machinery/selectors/label-selector.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import { stateKey, type CycleState } from '../cycle-state.ts';
import type { PluginFactory } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { SKIP, unresolvable, unschedulable, type Status } from '../status.ts';
import { defaultSpreadSelector } from './default-spread-selector.ts';
import { spreadConstraints, type SpreadConstraint } from './spread-constraint.ts';
import { SpreadDomainCache } from './spread-domains.ts';
import { normalizeSpread, spreadScoresOf } from './spread-score.ts';
import { changeSpread, spreads, spreadViolation, type Spread, type SpreadViolation } from './spread-skew.ts';

const name = 'PodTopologySpread';
const spreadState = stateKey<readonly Spread[]>(name);
const softState = stateKey<readonly SpreadConstraint[]>(name);
const violated = "node(s) didn't match pod topology spread constraints";

const statuses: Readonly<Record<SpreadViolation, Status>> = {
  skew: unschedulable(violated),
  'missing-label': unresolvable(`${violated} (missing required label)`),
};

/** Keeps the pods that a constraint selects evenly spread over the values of a node label (KEP-895). */
export const topologySpread: PluginFactory = {
  name,
  create({ snapshot, informers }, { PodTopologySpread: args }) {
    const defaultSelector = selectorFinder(args, () => defaultSpreadSelector(informers));
    const cache = new SpreadDomainCache();
    const change = (
      state: CycleState,
      pod: PodInfo,
      other: PodInfo,
      by: readonly [NodeInfo, 1 | -1],
    ): void => {
      const spread = state.read(spreadState);
      const [node, sign] = by;
      if (spread) changeSpread(spread, { pod: pod.pod, other: other.pod, nodeName: node.name, change: sign });
    };
    const hard = (pod: Pod): readonly SpreadConstraint[] =>
      spreadConstraints(pod, 'DoNotSchedule', { args, defaultSelector });
    return {
      name,
      preFilter(state, { pod }) {
        const constraints = hard(pod);
        if (constraints.length === 0) return SKIP;
        state.write(spreadState, spreads(pod, constraints, { index: snapshot.pods, cache }));
        return undefined;
      },
      addPod: (state, pod, added, node) => change(state, pod, added, [node, 1]),
      removePod: (state, pod, removed, node) => change(state, pod, removed, [node, -1]),
      filter(state, _pod, { labels }) {
        const spread = state.read(spreadState);
        const violation = spread && spreadViolation(spread, labels);
        return violation && statuses[violation];
      },
      preScore(state, { pod }) {
        const constraints = spreadConstraints(pod, 'ScheduleAnyway', { args, defaultSelector });
        if (constraints.length === 0) return SKIP;
        state.write(softState, constraints);
        return undefined;
      },
      scoreAll(state, { pod }, nodes) {
        const own = (pod.spec.topologySpreadConstraints ?? []).length > 0;
        const labels = own || args.defaultingType !== 'System' ? 'all' : 'any';
        return spreadScoresOf(pod, state.read(softState) ?? [], {
          index: snapshot.pods,
          cache,
          labels,
          nodes,
        });
      },
      normalizeScores: (_state, _pod, { scores }) => normalizeSpread(scores),
      eventsToRegister: () => [
        {
          resource: 'AssignedPod',
          actions: ['Add', 'Delete', 'UpdatePodLabel'],
          hint: ({ pod }, event) => podChangeHint(pod, event, hard(pod)),
        },
        {
          resource: 'Node',
          actions: ['Add', 'Delete', 'UpdateNodeLabel', 'UpdateNodeTaint'],
          hint: ({ pod }, event) => nodeHint(event, hard(pod)),
        },
        { resource: 'TargetPod', actions: ['UpdatePodLabel', 'UpdatePodToleration'] },
      ],
    };
  },
};

/** Watches Services and controllers only when there are default constraints to find selectors for. */
function selectorFinder(
  { defaultingType, defaultConstraints }: PluginArgs['PodTopologySpread'],
  find: () => (pod: Pod) => Selector,
): (pod: Pod) => Selector {
  const none = (): Selector => ({ requirements: [] });
  return defaultingType === 'System' || defaultConstraints.length > 0 ? find() : none;
}

/** A pod matters that some constraint counts, or began or ceased to count. */
function podChangeHint(
  pod: Pod,
  { previous, next }: ClusterEvent,
  constraints: readonly SpreadConstraint[],
): QueueingHint {
  const changed = next ?? previous;
  if (changed?.metadata.namespace !== pod.metadata.namespace) return 'QueueSkip';
  const helps = constraints.some(({ selector }) => {
    const before = previous !== undefined && selectorMatches(selector, previous.metadata.labels);
    const after = next !== undefined && selectorMatches(selector, next.metadata.labels);
    return before !== after;
  });
  return helps ? 'Queue' : 'QueueSkip';
}

/** A node matters that has the labels of all constraints, or ceased to, or whose values of them changed. */
function nodeHint({ previous, next }: ClusterEvent, constraints: readonly SpreadConstraint[]): QueueingHint {
  const before = previous as Node | undefined;
  const after = next as Node | undefined;
  const isIn = (node: Node | undefined): boolean =>
    node !== undefined &&
    constraints.every(({ topologyKey }) => node.metadata.labels?.[topologyKey] !== undefined);
  if (!before || !after) return isIn(before ?? after) ? 'Queue' : 'QueueSkip';
  const moved = constraints.some(
    ({ topologyKey }) => before.metadata.labels?.[topologyKey] !== after.metadata.labels?.[topologyKey],
  );
  if (isIn(before) !== isIn(after) || (isIn(after) && moved)) return 'Queue';
  return constraints.some(({ honorTaints }) => honorTaints) ? 'Queue' : 'QueueSkip';
}
