import type { NodeRejection } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import {
  chooseNode,
  diagnosisOf,
  surveyNodes,
  type Placement,
  type PlacementOptions,
} from '../schedule-pod.ts';
import { errorStatus, unresolvable, unschedulable } from '../status.ts';
import type { Extender } from './extender.ts';

/** Under this name extenders are among the plug-ins that reject a pod; every event may change their mind. */
export const extenderName = 'SchedulerExtender';

export interface ExtendedPlacementOptions extends PlacementOptions {
  /** Those that filter or prioritize for this pod, in the order of the configuration. */
  readonly extenders: readonly Extender[];
}

/**
 * Finds the best node for a pod with the help of extenders: those that filter are asked one after another about the
 * nodes that fit, those that prioritize all at once about the nodes that are left.
 */
export async function placeWithExtenders(
  pod: PodInfo,
  options: ExtendedPlacementOptions,
): Promise<Placement> {
  try {
    return await place(pod, options, 'first');
  } catch (error) {
    return { outcome: 'error', failed: { plugin: '', status: errorStatus(error) } };
  }
}

async function place(
  pod: PodInfo,
  options: ExtendedPlacementOptions,
  nominated: 'first' | 'ignored',
): Promise<Placement> {
  const { profile, snapshot, state, random, extenders } = options;
  const found = surveyNodes(pod, options, { wanted: 'good', nominated, rejections: 'always' });
  if (found.outcome !== 'nodes') return found;
  const filtered = await filterByExtenders(extenders, pod, found.fitting);
  const extra = await scoresOf(extenders, pod, filtered.nodes);
  // Nodes may have gone meanwhile.
  const left = filtered.nodes.flatMap(({ name }) => snapshot.node(name) ?? []);
  if (left.length > 0) return chooseNode(pod, left, { profile, state, random, extra });
  const promised = pod.pod.status?.nominatedNodeName;
  if (nominated === 'first' && found.fitting.some(({ name }) => name === promised))
    return place(pod, options, 'ignored');
  const rejections = [...found.rejections, ...filtered.rejections];
  const diagnosis = diagnosisOf({ ...found, rejections }, snapshot);
  if (found.fitting.length === 0) return { outcome: 'unfit', diagnosis };
  const unschedulablePlugins = new Set([...diagnosis.unschedulablePlugins, extenderName]);
  return { outcome: 'unfit', diagnosis: { ...diagnosis, unschedulablePlugins } };
}

interface Filtered {
  readonly nodes: readonly NodeInfo[];
  readonly rejections: readonly NodeRejection[];
}

async function filterByExtenders(
  extenders: readonly Extender[],
  pod: PodInfo,
  fitting: readonly NodeInfo[],
): Promise<Filtered> {
  let nodes = fitting;
  const rejections = new Map<string, NodeRejection>();
  const byName = new Map(fitting.map((node) => [node.name, node]));
  for (const extender of extenders) {
    if (!extender.filters) continue;
    if (nodes.length === 0) break;
    try {
      const answer = await extender.filter(pod, nodes);
      for (const [failed, status] of [
        [answer.failed, unschedulable],
        [answer.unresolvable, unresolvable],
      ] as const) {
        for (const [name, reason] of failed) {
          const node = byName.get(name);
          if (node) rejections.set(name, { node, plugin: extenderName, status: status(reason) });
        }
      }
      nodes = answer.nodes;
    } catch (error) {
      if (!extender.ignorable) throw error;
    }
  }
  return { nodes, rejections: [...rejections.values()] };
}

/** What all extenders that prioritize add to the scores; those that fail add nothing. */
async function scoresOf(
  extenders: readonly Extender[],
  pod: PodInfo,
  nodes: readonly NodeInfo[],
): Promise<ReadonlyMap<string, number>> {
  if (nodes.length <= 1) return new Map();
  const answers = await Promise.allSettled(
    extenders.filter((one) => one.prioritizes).map((one) => one.prioritize(pod, nodes)),
  );
  const sums = new Map<string, number>();
  for (const answer of answers) {
    if (answer.status === 'rejected') continue;
    for (const [name, score] of answer.value) sums.set(name, (sums.get(name) ?? 0) + score);
  }
  return sums;
}
