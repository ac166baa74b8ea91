import type { EventRegistration } from './cluster-event.ts';
import type { CycleState } from './cycle-state.ts';
import type { Diagnosis, PermitResult, Plugin, PostFilterResult, QueuedPod } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { Nominator } from './nominator.ts';
import type { PodInfo } from './pod-info.ts';
import type { Snapshot } from './snapshot.ts';
import { errorStatus, isRejection, type Status } from './status.ts';

/** The extension points that a configuration lists plug-ins for. */
export const extensionPoints = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
] as const;

export type ExtensionPoint = (typeof extensionPoints)[number];

/** A plug-in's status and its name. */
export interface PluginStatus {
  readonly plugin: string;
  readonly status: Status;
}

/** What PreFilter found out about a pod. */
export interface PreFilterOutcome {
  /** A rejection of the pod, or an error. */
  readonly failed?: PluginStatus;
  /** The only nodes worth asking about; undefined: all. */
  readonly nodeNames?: ReadonlySet<string>;
  /** Plug-ins that narrowed the nodes. */
  readonly narrowedBy: readonly string[];
}

export interface ProfileOptions {
  readonly schedulerName: string;
  /** Plug-ins by extension point, in the order in which they are asked. */
  readonly points: Readonly<Record<ExtensionPoint, readonly Plugin[]>>;
  /** Weights of score plug-ins by name; 1 when absent. */
  readonly weights: ReadonlyMap<string, number>;
  /** Overrides the scheduler's; 0: adaptive. */
  readonly percentageOfNodesToScore?: number;
  readonly snapshot: Snapshot;
  readonly nominator: Nominator;
}

/** A scheduler by its name: the plug-ins that decide about its pods, and how they are asked (upstream's framework). */
export class Profile {
  readonly schedulerName: string;
  readonly percentageOfNodesToScore: number | undefined;
  readonly #points: ProfileOptions['points'];
  readonly #weights: ReadonlyMap<string, number>;
  readonly #snapshot: Snapshot;
  readonly #nominator: Nominator;
  readonly #adders: readonly Plugin[];

  constructor({
    schedulerName,
    points,
    weights,
    percentageOfNodesToScore,
    snapshot,
    nominator,
  }: ProfileOptions) {
    this.schedulerName = schedulerName;
    this.percentageOfNodesToScore = percentageOfNodesToScore;
    this.#points = points;
    this.#weights = weights;
    this.#snapshot = snapshot;
    this.#nominator = nominator;
    this.#adders = points.preFilter.filter((plugin) => plugin.addPod ?? plugin.removePod);
  }

  /** Names of the plug-ins that reject nodes. */
  get filterNames(): ReadonlySet<string> {
    return new Set(this.#points.filter.map(({ name }) => name));
  }

  get scores(): boolean {
    return this.#points.score.length > 0;
  }

  /** Registrations by plug-in name; plug-ins without any are woken by every event. */
  registrations(): Map<string, readonly EventRegistration[] | undefined> {
    const all = new Map<string, readonly EventRegistration[] | undefined>();
    for (const point of extensionPoints) {
      for (const plugin of this.#points[point]) all.set(plugin.name, plugin.eventsToRegister?.());
    }
    return all;
  }

  queueSort(a: QueuedPod, b: QueuedPod): boolean {
    return this.#points.queueSort[0]?.queueSort?.(a, b) ?? a.order < b.order;
  }

  preEnqueue(pod: PodInfo): PluginStatus | undefined {
    return firstFailure(this.#points.preEnqueue, (plugin) => plugin.preEnqueue?.(pod));
  }

  preFilter(state: CycleState, pod: PodInfo): PreFilterOutcome {
    let nodeNames: ReadonlySet<string> | undefined;
    const narrowedBy: string[] = [];
    for (const plugin of this.#points.preFilter) {
      const result = attempt(() => plugin.preFilter?.(state, pod, this.#snapshot));
      if (!result) continue;
      if (!('code' in result)) {
        narrowedBy.push(plugin.name);
        nodeNames = nodeNames ? intersection(nodeNames, result.nodeNames) : result.nodeNames;
        if (nodeNames.size === 0) {
          const reasons = [
            narrowedBy.length > 1
              ? `node(s) didn't satisfy plugin(s) [${narrowedBy.join(' ')}] simultaneously`
              : `node(s) didn't satisfy plugin ${plugin.name}`,
          ];
          const status: Status = { code: 'UnschedulableAndUnresolvable', reasons };
          return { failed: { plugin: plugin.name, status }, narrowedBy };
        }
      } else if (result.code === 'Skip') state.skippedFilters.add(plugin.name);
      else return { failed: { plugin: plugin.name, status: result }, narrowedBy };
    }
    return { narrowedBy, ...(nodeNames && { nodeNames }) };
  }

  /** The filters to ask in this cycle. */
  filtersFor(state: CycleState): readonly Plugin[] {
    return this.#points.filter.filter(({ name }) => !state.skippedFilters.has(name));
  }

  /** Whether the pod may go to the node as it is, and as it will be with equally or more important nominated pods. */
  filter(
    state: CycleState,
    pod: PodInfo,
    node: NodeInfo,
    filters: readonly Plugin[],
  ): PluginStatus | undefined {
    if (this.#nominator.size > 0) {
      const promised = [...this.#nominator.on(node.name)].filter(
        (other) => other.priority >= pod.priority && other.uid !== pod.uid,
      );
      if (promised.length > 0) {
        const crowded = node.clone();
        for (const other of promised) {
          crowded.addPod(other);
          this.addPod(state, pod, other, crowded);
        }
        const failure = runFilters(state, pod, crowded, filters);
        for (const other of promised) {
          crowded.removePod(other.uid);
          this.removePod(state, pod, other, crowded);
        }
        if (failure) return failure;
      }
    }
    return runFilters(state, pod, node, filters);
  }

  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void {
    for (const plugin of this.#adders)
      if (!state.skippedFilters.has(plugin.name)) plugin.addPod?.(state, pod, added, node);
  }

  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void {
    for (const plugin of this.#adders)
      if (!state.skippedFilters.has(plugin.name)) plugin.removePod?.(state, pod, removed, node);
  }

  /** Asks plug-ins in turn until one makes room; else all they said together. At once, unless one asks an extender. */
  postFilter(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): PostFilterResult | undefined | Promise<PostFilterResult | undefined> {
    const plugins = this.#points.postFilter.filter((plugin) => plugin.postFilter);
    return plugins.length === 0 ? undefined : next({ status: { code: 'Unschedulable', reasons: [] } }, 0);

    function next(
      so: PostFilterResult & { readonly status: Status },
      at: number,
    ): PostFilterResult | Promise<PostFilterResult> {
      const result = plugins[at]?.postFilter?.(state, pod, diagnosis);
      if (!result) return so;
      return result instanceof Promise ? result.then((one) => after(one)) : after(result);

      function after(one: PostFilterResult): PostFilterResult | Promise<PostFilterResult> {
        if (!one.status || (one.status.code !== 'Unschedulable' && one.status.code !== 'Skip')) return one;
        const reasons = [...so.status.reasons, ...one.status.reasons];
        const nominatedNode = so.nominatedNode ?? one.nominatedNode;
        const status: Status = { code: 'Unschedulable', reasons };
        return next({ status, ...(nominatedNode !== undefined && { nominatedNode }) }, at + 1);
      }
    }
  }

  /** Prepares for {@link score}; answers what went wrong. */
  preScore(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): Status | undefined {
    for (const plugin of this.#points.preScore) {
      const status = attempt(() => plugin.preScore?.(state, pod, nodes));
      if (status?.code === 'Skip') state.skippedScores.add(plugin.name);
      else if (status) return status;
    }
    return undefined;
  }

  /** The weighted sum of all scores for each node, index by index; or what went wrong. */
  score(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): readonly number[] | Status {
    const totals = nodes.map(() => 0);
    for (const plugin of this.#points.score) {
      if (!(plugin.score || plugin.scoreAll) || state.skippedScores.has(plugin.name)) continue;
      const failed = addScores(plugin, {
        state,
        pod,
        nodes,
        totals,
        weight: this.#weights.get(plugin.name) ?? 1,
      });
      if (failed) return failed;
    }
    return totals;
  }

  reserve(state: CycleState, pod: PodInfo, nodeName: string): PluginStatus | undefined {
    return firstFailure(this.#points.reserve, (plugin) => plugin.reserve?.(state, pod, nodeName));
  }

  /** In the reverse order of {@link reserve}. */
  unreserve(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const plugin of this.#points.reserve.toReversed()) plugin.unreserve?.(state, pod, nodeName);
  }

  /** A rejection or error, or the plug-ins that want to wait with their time limits. */
  permit(
    state: CycleState,
    pod: PodInfo,
    nodeName: string,
  ): { readonly failed?: PluginStatus; readonly waiting: ReadonlyMap<string, number> } {
    const waiting = new Map<string, number>();
    for (const plugin of this.#points.permit) {
      const result: PermitResult | Status | undefined = attempt(() => plugin.permit?.(state, pod, nodeName));
      if (!result) continue;
      if ('code' in result) return { failed: { plugin: plugin.name, status: result }, waiting };
      const { status, timeoutMs = longestWait } = result;
      if (status.code !== 'Wait') return { failed: { plugin: plugin.name, status }, waiting };
      waiting.set(plugin.name, Math.min(timeoutMs, longestWait));
    }
    return { waiting };
  }

  async preBind(state: CycleState, pod: PodInfo, nodeName: string): Promise<PluginStatus | undefined> {
    for (const plugin of this.#points.preBind) {
      const status = await attemptAsync(() => plugin.preBind?.(state, pod, nodeName));
      if (status && status.code !== 'Skip') return { plugin: plugin.name, status };
    }
    return undefined;
  }

  async bind(state: CycleState, pod: PodInfo, nodeName: string): Promise<PluginStatus | undefined> {
    for (const plugin of this.#points.bind) {
      const status = await attemptAsync(() => plugin.bind?.(state, pod, nodeName));
      if (status?.code !== 'Skip') return status && { plugin: plugin.name, status };
    }
    return { plugin: '', status: errorStatus('all bind plug-ins skipped the pod') };
  }

  postBind(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const plugin of this.#points.postBind) plugin.postBind?.(state, pod, nodeName);
  }
}

/** Upstream's limit for Permit: 15 minutes. */
const longestWait = 15 * 60_000;

function runFilters(
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
  filters: readonly Plugin[],
): PluginStatus | undefined {
  for (const plugin of filters) {
    const status = plugin.filter?.(state, pod, node);
    if (status) return { plugin: plugin.name, status };
  }
  return undefined;
}

interface Scoring {
  readonly state: CycleState;
  readonly pod: PodInfo;
  readonly nodes: readonly NodeInfo[];
  readonly totals: number[];
  readonly weight: number;
}

function addScores(plugin: Plugin, { state, pod, nodes, totals, weight }: Scoring): Status | undefined {
  const scores =
    plugin.scoreAll?.(state, pod, nodes) ?? nodes.map((node) => plugin.score?.(state, pod, node) ?? 0);
  plugin.normalizeScores?.(state, pod, { nodes, scores });
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index] ?? 0;
    if (!(score >= 0 && score <= 100)) {
      return errorStatus(
        `plugin "${plugin.name}" returns an invalid score ${score}, it should in the range of [0, 100] after normalizing`,
      );
    }
    totals[index] = (totals[index] ?? 0) + weight * score;
  }
  return undefined;
}

function firstFailure(
  plugins: readonly Plugin[],
  ask: (plugin: Plugin) => Status | undefined,
): PluginStatus | undefined {
  for (const plugin of plugins) {
    const status: Status | undefined = attempt(() => ask(plugin));
    if (status && (isRejection(status) || status.code === 'Error')) return { plugin: plugin.name, status };
  }
  return undefined;
}

/** What a plug-in throws is its answer. */
function attempt<T>(ask: () => T): T | Status {
  try {
    return ask();
  } catch (error) {
    return errorStatus(error);
  }
}

async function attemptAsync(ask: () => Promise<Status | undefined> | undefined): Promise<Status | undefined> {
  try {
    return await ask();
  } catch (error) {
    return errorStatus(error);
  }
}

function intersection(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a].filter((name) => b.has(name)));
}
