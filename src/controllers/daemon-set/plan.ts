import type { ControllerRevision, DaemonSet } from '../../api/apps/v1.gen.ts';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import { scaledValue } from '../../machinery/int-or-string.ts';
import type { Live } from '../../machinery/object.ts';
import { isPodFinished, isPodReady, msUntilAvailable } from '../pods/pod-state.ts';
import { placementOf, targetNode, type Placement } from './placement.ts';

export const hashLabel = 'controller-revision-hash';
export const generationLabel = 'pod-template-generation';
const generationAnnotation = 'deprecated.daemonset.template.generation';

export interface DaemonSetObservation {
  readonly set: Live<DaemonSet>;
  readonly nodes: readonly Live<Node>[];
  /** Every pod it owns, in whatever state. */
  readonly pods: readonly Live<Pod>[];
  /** The revision of the set's template. */
  readonly newest: ControllerRevision;
  /** Milliseconds for which the set's next failed pod on a node is left alone. */
  backoffMs(nodeName: string): number;
  readonly now: number;
}

/** What the set means for a node, and its pods there. */
export interface NodePods {
  readonly name: string;
  /** Undefined for a node that does not exist. */
  readonly placement: Placement | undefined;
  readonly pods: readonly Live<Pod>[];
}

/** A pod to delete, and why when that is worth an event. */
export interface Removal {
  readonly pod: Live<Pod>;
  readonly ended?: 'failed' | 'succeeded';
}

export interface DaemonSetPlan {
  /** Nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Removal[];
  /** Milliseconds until a failed pod may be replaced. */
  readonly waitMs?: number;
}

/** Every node with the set's pods on it, and places of pods whose node is gone. Pods that ended and are going do not count. */
export function nodePods({ set, nodes, pods }: DaemonSetObservation): readonly NodePods[] {
  const byNode = new Map<string, Live<Pod>[]>();
  for (const pod of pods) {
    if (isPodFinished(pod) && pod.metadata.deletionTimestamp !== undefined) continue;
    const name = targetNode(pod);
    if (name === undefined) continue;
    const others = byNode.get(name);
    if (others) others.push(pod);
    else byNode.set(name, [pod]);
  }
  const place = placementOf(set);
  const known = nodes.map((node): NodePods => {
    const { name } = node.metadata;
    const here = byNode.get(name) ?? [];
    byNode.delete(name);
    return { name, placement: place(node), pods: here };
  });
  return [...known, ...[...byNode].map(([name, here]) => ({ name, placement: undefined, pods: here }))];
}

/** Brings one pod to each node that should have one, and takes those away that are too many, in the wrong place or over. */
export function planPlacement(observation: DaemonSetObservation, places: readonly NodePods[]): DaemonSetPlan {
  const create: string[] = [];
  const remove: Removal[] = [];
  const waits: number[] = [];
  for (const place of places) {
    if (place.pods.length === 0) {
      if (place.placement === 'run') create.push(place.name);
      continue;
    }
    const staying = place.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (place.placement === undefined) {
      remove.push(...staying.filter(({ spec }) => !spec.nodeName).map((pod) => ({ pod })));
    } else if (place.placement === 'leave') {
      remove.push(...staying.map((pod) => ({ pod })));
    } else {
      const running: Live<Pod>[] = [];
      for (const pod of staying) {
        if (!isPodFinished(pod)) {
          running.push(pod);
          continue;
        }
        const waitMs = observation.backoffMs(place.name);
        const ended = pod.status?.phase === 'Failed' ? 'failed' : 'succeeded';
        if (ended === 'failed' && waitMs > 0) waits.push(waitMs);
        else remove.push({ pod, ended });
      }
      remove.push(...excess(observation, running).map((pod) => ({ pod })));
    }
  }
  return { create, remove, ...(waits.length > 0 && { waitMs: Math.min(...waits) }) };
}

/**
 * Pods beyond the one that a node should have: all but the oldest. With surge the oldest of each revision, until the new
 * one is available or the old one no longer ready.
 */
function excess(observation: DaemonSetObservation, running: readonly Live<Pod>[]): readonly Live<Pod>[] {
  if (running.length < 2) return [];
  const [first, ...others] = inOrderOfAge(running);
  if (!first) return [];
  if (maxSurgeOf(observation.set, 1) === 0) return others;
  const { updated, outdated } = byRevision(observation, [first, ...others]);
  const [newPod, ...moreNew] = updated;
  const [oldPod, ...moreOld] = outdated;
  const replaced =
    newPod && oldPod && (!isPodReady(oldPod) || isAvailable(observation, newPod)) ? [oldPod] : [];
  return [...moreNew, ...moreOld, ...replaced];
}

/** Pods of the set's template, and others. */
function byRevision(
  observation: DaemonSetObservation,
  pods: readonly Live<Pod>[],
): { readonly updated: readonly Live<Pod>[]; readonly outdated: readonly Live<Pod>[] } {
  return {
    updated: pods.filter((pod) => isUpdated(observation, pod)),
    outdated: pods.filter((pod) => !isUpdated(observation, pod)),
  };
}

/** Whether a pod has the set's template: by the revision's hash, or by the template's number of old. */
export function isUpdated({ set, newest }: DaemonSetObservation, { metadata }: Pod): boolean {
  const hash = newest.metadata.labels?.[hashLabel];
  const generation = templateGeneration(set);
  return (
    (hash !== undefined && metadata.labels?.[hashLabel] === hash) ||
    (generation !== undefined && metadata.labels?.[generationLabel] === generation)
  );
}

/** The number of the set's template, which its pods carry as a label. */
export function templateGeneration({ metadata }: DaemonSet): string | undefined {
  return metadata.annotations?.[generationAnnotation];
}

export function isAvailable({ set, now }: DaemonSetObservation, pod: Pod): boolean {
  return msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, now) === 0;
}

/** How many pods an update may add beyond one a node. */
export function maxSurgeOf({ spec }: DaemonSet, desired: number): number {
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  return type === 'RollingUpdate' ? scaledValue(rollingUpdate?.maxSurge ?? 0, desired, 'up') : 0;
}

/** The pod of several that comes first by {@link inOrderOfAge}. */
export function oldestOf(pods: readonly Live<Pod>[]): Live<Pod> | undefined {
  return pods.length < 2 ? pods[0] : inOrderOfAge(pods)[0];
}

/** Those on a node first, then by age, then by name. */
function inOrderOfAge(pods: readonly Live<Pod>[]): Live<Pod>[] {
  return pods.toSorted((a, b) => {
    if (Boolean(a.spec.nodeName) !== Boolean(b.spec.nodeName)) return a.spec.nodeName ? -1 : 1;
    const [left, right] = [a.metadata, b.metadata];
    if (left.creationTimestamp !== right.creationTimestamp)
      return left.creationTimestamp < right.creationTimestamp ? -1 : 1;
    return left.name < right.name ? -1 : 1;
  });
}
