import type { PodDisruptionBudget } from '../../api/policy/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import type { CycleState } from '../cycle-state.ts';
import type { Handle } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { unresolvable, type Status } from '../status.ts';

/** A node on which the pod fits once these pods are gone; the most important one first. */
export interface Candidate {
  readonly node: NodeInfo;
  readonly victims: readonly PodInfo[];
  /** How many of the victims no disruption budget allows to go. */
  readonly violations: number;
}

const nobodyToRemove = unresolvable('No preemption victims found for incoming pod');

/** A dry run's surroundings. */
export interface DryRun {
  readonly handle: Handle;
  readonly state: CycleState;
  readonly pod: PodInfo;
  readonly budgets: readonly PodDisruptionBudget[];
}

/**
 * Who would have to go for the pod to fit on a node: all less important pods are taken away, and brought back one by
 * one, the most important first and those that a budget protects before the others, as long as the pod still fits.
 * A status when the pod does not fit even then. `state` is left as it was.
 */
export function selectVictims(node: NodeInfo, { handle, state, pod, budgets }: DryRun): Candidate | Status {
  const less = [...node.pods.values()].filter(({ priority }) => priority < pod.priority);
  if (less.length === 0) return nobodyToRemove;
  const trial = node.clone();
  const remove = (other: PodInfo): void => {
    trial.removePod(other.uid);
    handle.removePod(state, pod, other, trial);
  };
  const restore = (other: PodInfo): void => {
    trial.addPod(other);
    handle.addPod(state, pod, other, trial);
  };
  for (const other of less) remove(other);
  const misfit = handle.filter(state, pod, trial);
  if (misfit) {
    for (const other of less) restore(other);
    return misfit;
  }
  const victims: PodInfo[] = [];
  const reprieve = (other: PodInfo): boolean => {
    restore(other);
    if (!handle.filter(state, pod, trial)) return true;
    remove(other);
    victims.push(other);
    return false;
  };
  const { violating, allowed } = byBudget(less.toSorted(compareImportance), budgets);
  let violations = 0;
  for (const other of violating) if (!reprieve(other)) violations++;
  for (const other of allowed) reprieve(other);
  for (const other of victims) restore(other);
  return { node, victims: victims.toSorted(compareImportance), violations };
}

/** The more important pod first: higher priority, then started earlier. */
export function compareImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a.pod) - startOf(b.pod);
}

/** When the pod was started, in milliseconds since the epoch; one that was not is the latest. */
export function startOf({ status }: Pod): number {
  return status?.startTime ? Date.parse(status.startTime) : Number.MAX_SAFE_INTEGER;
}

/** Tells the pods that may be disrupted, all of them together, from those that a budget protects. */
function byBudget(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { readonly violating: readonly PodInfo[]; readonly allowed: readonly PodInfo[] } {
  if (budgets.length === 0) return { violating: [], allowed: pods };
  const left = budgets.map((budget) => ({
    budget,
    selector: selectorFrom(budget.spec?.selector),
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }));
  const violating: PodInfo[] = [];
  const allowed: PodInfo[] = [];
  for (const info of pods) {
    const { labels } = info.pod.metadata;
    let violates = false;
    for (const one of left) {
      const { selector, budget } = one;
      if (!labels || budget.metadata.namespace !== info.namespace) continue;
      if (selector.requirements.length === 0 || !selectorMatches(selector, labels)) continue;
      if (budget.status?.disruptedPods?.[info.name] !== undefined) continue;
      if (--one.allowed < 0) violates = true;
    }
    (violates ? violating : allowed).push(info);
  }
  return { violating, allowed };
}
