import type { Pod } from '../api/core/v1.gen.ts';
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import type { EventRecorder } from '../reconcile/event-recorder.ts';
import type { InformerFactory } from '../reconcile/informer.ts';
import type { EventRegistration } from './cluster-event.ts';
import type { PluginArgs } from './config/plugin-args.ts';
import type { CycleState } from './cycle-state.ts';
import type { Extender } from './extenders/extender.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodStatusChange } from './pod-status-writer.ts';
import type { Snapshot } from './snapshot.ts';
import type { Status } from './status.ts';

/** A pod in the scheduling queue. */
export interface QueuedPod {
  readonly info: PodInfo;
  /** When it entered the queue, in milliseconds since the epoch, and its place among those that came at once. */
  readonly enqueuedAt: number;
  readonly order: number;
  readonly attempts: number;
  /** When the scheduler first heard of it, in milliseconds since the epoch. */
  readonly addedAt: number;
}

/** What PreFilter may answer beside a {@link Status}: the only nodes worth asking about. */
export interface PreFilterNodes {
  readonly nodeNames: ReadonlySet<string>;
}

/** Why each node was rejected, and by which plug-in. */
export interface NodeRejection {
  readonly node: NodeInfo;
  readonly plugin: string;
  readonly status: Status;
}

/** Why a pod fits nowhere. */
export interface Diagnosis {
  /** All nodes that exist. */
  readonly nodes: readonly NodeInfo[];
  /** The nodes that filters were asked about, in that order. */
  readonly rejections: readonly NodeRejection[];
  /** What holds for all other nodes: PreFilter's rejection of the pod, or of nodes that it ruled out by name. */
  readonly others: Status;
  /** PreFilter rejected the pod as a whole. */
  readonly preFilterMessage?: string;
  readonly unschedulablePlugins: ReadonlySet<string>;
  /** Those that answered `Pending`. */
  readonly pendingPlugins: ReadonlySet<string>;
}

/** PostFilter made room, or will have: the node to nominate (empty clears the nomination), or why not. */
export type PostFilterResult =
  | { readonly nominatedNode: string; readonly status?: undefined }
  | { readonly nominatedNode?: string; readonly status: Status };

/** Permit's answer when it is no plain success. */
export interface PermitResult {
  readonly status: Status;
  /** With code `Wait`: how long at most. */
  readonly timeoutMs?: number;
}

/** Nodes with their scores, index by index. */
export interface NodeScores {
  readonly nodes: readonly NodeInfo[];
  readonly scores: number[];
}

/**
 * A scheduler plug-in (the upstream scheduling framework): any of these extension points. Everything but `postFilter`,
 * `preBind` and `bind` is synchronous, sees one unchanging {@link Snapshot} per cycle and must not block. `undefined` is success.
 * A thrown error ends the attempt as `Error` does.
 */
export interface Plugin {
  /** Upstream's plug-in name. */
  readonly name: string;

  /** Anything but success keeps the pod out of the active queue, until an event that the plug-in registered. */
  preEnqueue?(pod: PodInfo): Status | undefined;
  /** Whether `a` goes first. One plug-in of a profile, the same in all profiles. */
  queueSort?(a: QueuedPod, b: QueuedPod): boolean;

  /** Prepares for one pod. `Skip`: `filter` is not asked in this cycle. A rejection is of all nodes. */
  preFilter?(state: CycleState, pod: PodInfo, snapshot: Snapshot): Status | PreFilterNodes | undefined;
  /** Keeps `preFilter`'s state right when `added` is tried out on a node; undone by `removePod`. */
  addPod?(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  /** The same for a pod taken away; undone by `addPod`. */
  removePod?(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
  /** Whether the pod may go to the node; `node` may differ from the snapshot's in a dry run. */
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined;
  /** Tries to make room for a pod that fits nowhere. A promise holds the whole scheduler up. */
  postFilter?(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): PostFilterResult | Promise<PostFilterResult>;

  /** Prepares for scoring the nodes that fit. `Skip`: `score` is not asked in this cycle. */
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): Status | undefined;
  /** Any number; after `normalizeScores` (or without it) an integer from 0 to 100. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number;
  /** The same for all nodes at once, index by index; asked instead of `score`. */
  scoreAll?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): number[];
  /** Brings the scores to 0…100, in place. */
  normalizeScores?(state: CycleState, pod: PodInfo, result: NodeScores): void;

  reserve?(state: CycleState, pod: PodInfo, nodeName: string): Status | undefined;
  /** Called for every plug-in when a later step fails, also for one whose `reserve` was not called. Idempotent. */
  unreserve?(state: CycleState, pod: PodInfo, nodeName: string): void;
  permit?(state: CycleState, pod: PodInfo, nodeName: string): PermitResult | undefined;

  preBind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  /** The first plug-in that does not answer `Skip` binds the pod. */
  bind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  postBind?(state: CycleState, pod: PodInfo, nodeName: string): void;

  /** After what the pods that this plug-in rejected are tried again. Without it: after every event. */
  eventsToRegister?(): readonly EventRegistration[];
}

/** Pods that were promised room on a node by preemption. */
export interface Nominations {
  /** Pods nominated to a node, in no order. */
  on(nodeName: string): Iterable<PodInfo>;
}

/** A pod that Permit holds back. */
export interface WaitingPod {
  readonly info: PodInfo;
  readonly nodeName: string;
  /** `plugin` lets it go; it is bound when all plug-ins have. */
  allow(plugin: string): void;
  reject(plugin: string, message: string): void;
}

/** What plug-ins are made with. */
export interface Handle {
  readonly client: Client;
  /** Informers asked for while plug-ins are made are synced before the first pod is tried. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Aborts when the scheduler stops. */
  readonly signal: AbortSignal;
  /** Records events as the profile's scheduler. */
  readonly events: EventRecorder;
  readonly snapshot: Snapshot;
  readonly nominations: Nominations;
  readonly profileName: string;
  /** Webhooks that have a say, too. */
  readonly extenders: readonly Extender[];
  /** From 0 up to 1; repeats itself when the scheduler was given a seed. */
  random(): number;
  /** Asks the profile's filters about a node, with equally or more important pods nominated to it counted as there. */
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined;
  /** Tells the profile's filters that a pod was tried out on a node, or taken away. */
  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
  waitingPods(): Iterable<WaitingPod>;
  /** Moves waiting pods to the active queue, by uid. */
  activate(uids: readonly string[]): void;
  /** Writes a condition of a pod, or its nomination; resolves when written. Failures are reported, not thrown. */
  writeStatus(pod: Live<Pod>, change: PodStatusChange): Promise<void>;
  /** Takes back that a waiting pod was nominated to a node, and tries it again. */
  clearNomination(pod: PodInfo): void;
  /** Hears of pods chosen to make room for another. */
  onPreemption(victims: number): void;
  /** Hears of failures of a plug-in's background work. */
  onFailure(plugin: string, pod: PodInfo, error: unknown): void;
}

/** How a plug-in is made, as the registry lists it. */
export interface PluginFactory {
  readonly name: string;
  create(handle: Handle, args: PluginArgs): Plugin;
}

/** Spreads scores over 0 to 100, in place, the highest becoming 100 (upstream's DefaultNormalizeScore). */
export function spreadScores(scores: number[], order: 'ascending' | 'descending'): void {
  let highest = 0;
  for (const score of scores) if (score > highest) highest = score;
  for (let index = 0; index < scores.length; index++) {
    const scaled = highest === 0 ? 0 : Math.floor((100 * (scores[index] ?? 0)) / highest);
    scores[index] = order === 'ascending' ? scaled : 100 - scaled;
  }
}
