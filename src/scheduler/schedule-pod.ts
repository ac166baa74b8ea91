import type { CycleState } from './cycle-state.ts';
import type { Diagnosis, NodeRejection, Plugin } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { PluginStatus, Profile } from './profile.ts';
import type { Snapshot } from './snapshot.ts';
import { isRejection, type Status } from './status.ts';

/** Where a pod should go, or why it can go nowhere. */
export type Placement =
  | { readonly outcome: 'fits'; readonly nodeName: string }
  | { readonly outcome: 'no-nodes' }
  | { readonly outcome: 'unfit'; readonly diagnosis: Diagnosis }
  | { readonly outcome: 'error'; readonly failed: PluginStatus };

export interface PlacementOptions {
  readonly profile: Profile;
  readonly snapshot: Snapshot;
  readonly state: CycleState;
  /** Of all profiles that set none: 0 to 100, 0 is adaptive. */
  readonly percentageOfNodesToScore: number;
  readonly search: NodeSearch;
  /** From 0 up to 1; decides among equally good nodes. */
  random(): number;
  /** Called with how the search among the nodes ended; returns what to call before it. */
  measureFilter?(): (status: 'Success' | Status['code']) => void;
}

/** Where among the nodes the next search starts, so that a large cluster is used evenly. */
export interface NodeSearch {
  start: number;
}

/** The nodes that fit a pod as far as the plug-ins are concerned. */
export interface Survey {
  readonly outcome: 'nodes';
  /** None: the pod fits nowhere. */
  readonly fitting: readonly NodeInfo[];
  /** Empty when some nodes fit, unless it was asked for. */
  readonly rejections: readonly NodeRejection[];
  /** Plug-ins that ruled nodes out by name. */
  readonly narrowedBy: readonly string[];
}

/** How nodes are looked for. */
export interface SurveyOptions {
  /** Whether any node that fits is as good as another. */
  readonly wanted: 'any' | 'good';
  /** Whether the node that was promised to the pod is tried before, and instead of, all. */
  readonly nominated: 'first' | 'ignored';
  readonly rejections: 'if-none-fits' | 'always';
}

/** Finds the best node for a pod: filters nodes until enough fit, scores those, and takes one with the highest score. */
export function placePod(pod: PodInfo, options: PlacementOptions): Placement {
  const wanted = options.profile.scores ? 'good' : 'any';
  const found = surveyNodes(pod, options, { wanted, nominated: 'first', rejections: 'if-none-fits' });
  if (found.outcome !== 'nodes') return found;
  return found.fitting.length === 0
    ? { outcome: 'unfit', diagnosis: diagnosisOf(found, options.snapshot) }
    : chooseNode(pod, found.fitting, options);
}

/** Asks the filters about the nominated node, then about node after node until enough fit. */
export function surveyNodes(
  pod: PodInfo,
  options: PlacementOptions,
  how: SurveyOptions,
): Survey | Exclude<Placement, { readonly outcome: 'fits' }> {
  const { profile, snapshot, state, search } = options;
  const { nodes } = snapshot;
  if (nodes.length === 0) return { outcome: 'no-nodes' };
  const { failed, nodeNames, narrowedBy } = profile.preFilter(state, pod);
  if (failed) {
    if (!isRejection(failed.status)) return { outcome: 'error', failed };
    return { outcome: 'unfit', diagnosis: rejectedByPreFilter(nodes, failed) };
  }
  const filters = profile.filtersFor(state);
  const nominated = how.nominated === 'first' ? nominatedNode(pod, snapshot) : undefined;
  if (nominated && !profile.filter(state, pod, nominated, filters))
    return { outcome: 'nodes', fitting: [nominated], rejections: [], narrowedBy };

  const candidates = nodeNames ? existing(nodeNames, snapshot) : nodes;
  const enough = how.wanted === 'good' ? enoughNodes(candidates.length, options) : 1;
  const measured = options.measureFilter?.();
  const found = findNodes(pod, { candidates, enough, filters, options, rejections: how.rejections });
  measured?.(
    'failed' in found ? found.failed.status.code : found.fitting.length > 0 ? 'Success' : 'Unschedulable',
  );
  search.start = (search.start + found.asked) % nodes.length;
  if ('failed' in found) return { outcome: 'error', failed: found.failed };
  return { outcome: 'nodes', fitting: found.fitting, rejections: found.rejections, narrowedBy };
}

/** Why a pod fits nowhere. */
export function diagnosisOf(
  { rejections, narrowedBy }: Pick<Survey, 'rejections' | 'narrowedBy'>,
  { nodes }: Snapshot,
): Diagnosis {
  return { nodes, rejections, others: narrowed(narrowedBy), ...pluginsOf(rejections, narrowedBy) };
}

/** The best of nodes that all fit; `extra` is added to the scores of the plug-ins, by the names of nodes. */
export function chooseNode(
  pod: PodInfo,
  fitting: readonly NodeInfo[],
  options: Pick<PlacementOptions, 'profile' | 'state' | 'random'> & {
    readonly extra?: ReadonlyMap<string, number>;
  },
): Placement {
  const { profile, state, extra } = options;
  const [only, second] = fitting;
  if (only && !second) return { outcome: 'fits', nodeName: only.name };
  const scores = profile.preScore(state, pod, fitting) ?? profile.score(state, pod, fitting);
  if ('code' in scores) return { outcome: 'error', failed: { plugin: '', status: scores } };
  const totals = extra ? fitting.map(({ name }, at) => (scores[at] ?? 0) + (extra.get(name) ?? 0)) : scores;
  return { outcome: 'fits', nodeName: best(fitting, totals, options).name };
}

interface Search {
  readonly candidates: readonly NodeInfo[];
  readonly enough: number;
  readonly filters: readonly Plugin[];
  readonly options: PlacementOptions;
  readonly rejections: SurveyOptions['rejections'];
}

type Found =
  | { readonly asked: number; readonly failed: PluginStatus }
  | {
      readonly asked: number;
      readonly fitting: readonly NodeInfo[];
      readonly rejections: readonly NodeRejection[];
    };

function findNodes(pod: PodInfo, { candidates, enough, filters, options, rejections: kept }: Search): Found {
  const { profile, state, search } = options;
  const fitting: NodeInfo[] = [];
  const rejected: NodeInfo[] = [];
  const failures: PluginStatus[] = [];
  const { length } = candidates;
  let asked = 0;
  for (; asked < length && fitting.length < enough; asked++) {
    const node = candidates[(search.start + asked) % length];
    if (!node) continue;
    const failed = profile.filter(state, pod, node, filters);
    if (!failed) fitting.push(node);
    else if (isRejection(failed.status)) {
      rejected.push(node);
      failures.push(failed);
    } else return { asked, failed };
  }
  // Nobody asks why some nodes were rejected when others fit.
  const rejections = fitting.length > 0 && kept === 'if-none-fits' ? [] : rejectionsOf(rejected, failures);
  return { asked, fitting, rejections };
}

function rejectionsOf(nodes: readonly NodeInfo[], failures: readonly PluginStatus[]): NodeRejection[] {
  return nodes.flatMap((node, at) => {
    const failed = failures[at];
    return failed ? [{ node, plugin: failed.plugin, status: failed.status }] : [];
  });
}

/**
 * How many fitting nodes are enough: of 100 nodes and more the given percentage; adaptively 50 less one for each 125
 * nodes, at least 5; never fewer than 100 nodes.
 */
export function enoughNodes(
  nodes: number,
  { profile, percentageOfNodesToScore }: Pick<PlacementOptions, 'profile' | 'percentageOfNodesToScore'>,
): number {
  if (nodes < 100) return nodes;
  const configured = profile.percentageOfNodesToScore ?? percentageOfNodesToScore;
  const percentage = configured > 0 ? configured : Math.max(5, 50 - Math.floor(nodes / 125));
  return Math.max(100, Math.floor((nodes * percentage) / 100));
}

function best(
  nodes: readonly NodeInfo[],
  scores: readonly number[],
  options: Pick<PlacementOptions, 'random'>,
): NodeInfo {
  let highest = Number.NEGATIVE_INFINITY;
  let equals = 0;
  let chosen = 0;
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index] ?? 0;
    if (score > highest) {
      highest = score;
      chosen = index;
      equals = 1;
    } else if (score === highest && options.random() * ++equals < 1) chosen = index;
  }
  const node = nodes[chosen];
  if (!node) throw new Error('scores without nodes');
  return node;
}

function nominatedNode({ pod }: PodInfo, snapshot: Snapshot): NodeInfo | undefined {
  const name = pod.status?.nominatedNodeName;
  return name ? snapshot.node(name) : undefined;
}

function existing(names: ReadonlySet<string>, snapshot: Snapshot): readonly NodeInfo[] {
  return [...names].flatMap((name) => snapshot.node(name) ?? []);
}

function rejectedByPreFilter(nodes: readonly NodeInfo[], { plugin, status }: PluginStatus): Diagnosis {
  const plugins = new Set([plugin]);
  const none: ReadonlySet<string> = new Set();
  const pending = status.code === 'Pending';
  return {
    nodes,
    rejections: [],
    others: status,
    preFilterMessage: status.reasons.join(', '),
    unschedulablePlugins: pending ? none : plugins,
    pendingPlugins: pending ? plugins : none,
  };
}

function narrowed(by: readonly string[]): Status {
  const reasons = by.length > 0 ? [`node(s) didn't satisfy plugin(s) [${by.toSorted().join(' ')}]`] : [];
  return { code: 'UnschedulableAndUnresolvable', reasons };
}

function pluginsOf(
  rejections: readonly NodeRejection[],
  narrowedBy: readonly string[],
): Pick<Diagnosis, 'unschedulablePlugins' | 'pendingPlugins'> {
  const unschedulablePlugins = new Set(narrowedBy);
  const pendingPlugins = new Set<string>();
  for (const { plugin, status } of rejections) {
    if (status.code === 'Pending') pendingPlugins.add(plugin);
    else unschedulablePlugins.add(plugin);
  }
  return { unschedulablePlugins, pendingPlugins };
}
