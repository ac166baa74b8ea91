import type { Pod, TopologySpreadConstraint } from '../../api/core/v1.gen.ts';
import { selectorFrom, selectorMatches, type Selector } from '../../machinery/selectors/label-selector.ts';
import { stateKey } from '../cycle-state.ts';
import type { PluginFactory } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { Snapshot } from '../snapshot.ts';
import { SKIP, unresolvable, unschedulable, type Status } from '../status.ts';
import { nodeSelectorMatches } from './node-selector.ts';
import { tolerates } from './toleration.ts';

const name = 'PodTopologySpread';
const spreads = stateKey<readonly Spread[]>(name);

/** Keeps the pods that a constraint selects evenly spread over the values of a node label. */
export const topologySpread: PluginFactory = {
  name,
  create: () => ({
    name,
    preFilter(state, { pod }, snapshot) {
      const hard = (pod.spec.topologySpreadConstraints ?? []).filter(
        ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
      );
      if (hard.length === 0) return SKIP;
      const keys = hard.map(({ topologyKey }) => topologyKey);
      state.write(
        spreads,
        hard.map((constraint) => count(constraint, pod, { snapshot, keys })),
      );
      return undefined;
    },
    filter(state, _pod, { labels }) {
      for (const spread of state.read(spreads) ?? []) {
        const status = judge(spread, labels);
        if (status) return status;
      }
      return undefined;
    },
    eventsToRegister: () => [
      { resource: 'AssignedPod', actions: ['Add', 'Delete', 'UpdatePodLabel'] },
      { resource: 'TargetPod', actions: ['UpdatePodLabel'] },
      { resource: 'Node', actions: ['Add', 'Delete', 'UpdateNodeLabel', 'UpdateNodeTaint'] },
    ],
  }),
};

const violation = "node(s) didn't match pod topology spread constraints";
const violated = unschedulable(violation);
const missingLabel = unresolvable(`${violation} (missing required label)`);

interface Spread {
  readonly constraint: TopologySpreadConstraint;
  readonly perDomain: ReadonlyMap<string, number>;
  readonly fewest: number;
  /** 1 when the pod itself is selected. */
  readonly self: 0 | 1;
}

function judge(
  { constraint, perDomain, fewest, self }: Spread,
  labels: Readonly<Record<string, string>>,
): Status | undefined {
  const domain = labels[constraint.topologyKey];
  if (domain === undefined) return missingLabel;
  const skew = (perDomain.get(domain) ?? 0) + self - fewest;
  return skew > constraint.maxSkew ? violated : undefined;
}

function count(
  constraint: TopologySpreadConstraint,
  pod: Pod,
  { snapshot, keys }: { readonly snapshot: Snapshot; readonly keys: readonly string[] },
): Spread {
  const selector = effectiveSelector(constraint, pod);
  const perDomain = new Map<string, number>();
  for (const info of snapshot.nodes) {
    const { labels } = info;
    const domain = labels[constraint.topologyKey];
    if (domain === undefined || !keys.every((key) => key in labels)) continue;
    if (!isEligible(constraint, pod, info)) continue;
    perDomain.set(
      domain,
      (perDomain.get(domain) ?? 0) + selectedPods(info, selector, pod.metadata.namespace),
    );
  }
  const tooFew = perDomain.size < (constraint.minDomains ?? 1);
  return {
    constraint,
    perDomain,
    fewest: tooFew ? 0 : Math.min(...perDomain.values()),
    self: selectorMatches(selector, pod.metadata.labels) ? 1 : 0,
  };
}

/** The constraint's selector narrowed by the pod's own values of `matchLabelKeys`. */
function effectiveSelector(constraint: TopologySpreadConstraint, pod: Pod): Selector {
  const own = (constraint.matchLabelKeys ?? []).flatMap((key) => {
    const value = pod.metadata.labels?.[key];
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
  });
  const { labelSelector } = constraint;
  if (!labelSelector || own.length === 0) return selectorFrom(labelSelector);
  return selectorFrom({
    ...labelSelector,
    matchExpressions: [...(labelSelector.matchExpressions ?? []), ...own],
  });
}

function isEligible(constraint: TopologySpreadConstraint, pod: Pod, { node }: NodeInfo): boolean {
  if (constraint.nodeAffinityPolicy !== 'Ignore') {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required && !nodeSelectorMatches(required, node)) return false;
    const labels = Object.entries(pod.spec.nodeSelector ?? {});
    if (!labels.every(([key, value]) => node.metadata.labels?.[key] === value)) return false;
  }
  if (constraint.nodeTaintsPolicy !== 'Honor') return true;
  return (node.spec.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || tolerates(pod.spec.tolerations, taint),
  );
}

function selectedPods(info: NodeInfo, selector: Selector, namespace: string | undefined): number {
  let selected = 0;
  for (const { pod } of info.pods.values()) {
    const { metadata } = pod;
    if (metadata.namespace !== namespace || metadata.deletionTimestamp !== undefined) continue;
    if (selectorMatches(selector, metadata.labels)) selected++;
  }
  return selected;
}
