import { backoffMs, type BackoffPolicy } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { ClusterEvent } from './cluster-event.ts';
import type { EventHints } from './event-hints.ts';
import type { QueuedPod } from './framework.ts';
import type { QueueName } from './metrics/scheduler-metrics.ts';
import { OrderedHeap } from './ordered-heap.ts';
import type { PodInfo } from './pod-info.ts';
import type { PluginStatus } from './profile.ts';

type Place = 'active' | 'backoff' | 'unschedulable' | 'in-flight';

interface Entry extends QueuedPod {
  info: PodInfo;
  enqueuedAt: number;
  order: number;
  attempts: number;
  readonly addedAt: number;
  place: Place;
  /** Attempts in a row that ended with a rejection, and with an error. */
  rejections: number;
  errors: number;
  unschedulablePlugins: ReadonlySet<string>;
  pendingPlugins: ReadonlySet<string>;
  /** The PreEnqueue plug-in that holds the pod back. */
  gatedBy: string | undefined;
  /** Plug-ins under which it is found while it waits for events. */
  parkedFor: readonly string[];
  backoffUntil: number;
  /** Of events, the first that the pod did not see when it was taken. */
  firstEvent: number;
}

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Which pod goes first. */
  before(a: QueuedPod, b: QueuedPod): boolean;
  preEnqueue(pod: PodInfo): PluginStatus | undefined;
  hintsFor(pod: PodInfo): EventHints;
  /** Plug-ins of any profile that care for an event; undefined: all. */
  concerned(event: ClusterEvent): readonly string[] | undefined;
  /** Called whenever there may be something to {@link SchedulingQueue.pop}. */
  wake(): void;
  /** Hears which pod entered which queue because of which event, by upstream's names. */
  onQueued?(queue: QueueName, event: string): void;
}

/** Why an attempt failed. No plug-ins: it is tried again after a back-off whatever happens. */
export interface Rejection {
  readonly unschedulablePlugins: ReadonlySet<string>;
  readonly pendingPlugins: ReadonlySet<string>;
}

const attemptFailed = 'ScheduleAttemptFailure';
const flushMs = 30_000;
const longestUnschedulableMs = 5 * 60_000;
const nobody: ReadonlySet<string> = new Set();

/**
 * Pods that wait for a node (upstream's priority queue): those to be tried now, in order; those that may fit now and
 * wait for their back-off; and those that fit nowhere until an event that one of the plug-ins that rejected them takes
 * for a reason to try again, at the latest after five minutes. Pods whose back-off is for rejections are also taken
 * early when nothing else is to be done (SchedulerPopFromBackoffQ).
 */
export class SchedulingQueue {
  readonly #options: SchedulingQueueOptions;
  readonly #backoff: BackoffPolicy;
  readonly #entries = new Map<string, Entry>();
  readonly #active: OrderedHeap<Ticket>;
  readonly #backingOff: OrderedHeap<Ticket>;
  readonly #erring: OrderedHeap<Ticket>;
  readonly #unschedulable = new Set<Entry>();
  /** Of those, by the plug-ins that rejected them or hold them back. */
  readonly #waitingFor = new Map<string, Set<Entry>>();
  readonly #inFlight = new Set<Entry>();
  #events: ClusterEvent[] = [];
  #eventsBefore = 0;
  #arrivals = 0;
  #backoffTimer: { readonly at: number; readonly timer: Timer } | undefined;
  #flushTimer: Timer | undefined;

  constructor(options: SchedulingQueueOptions) {
    this.#options = options;
    this.#backoff = { baseMs: options.initialBackoffMs, maxMs: options.maxBackoffMs };
    this.#active = new OrderedHeap((a, b) => options.before(a.entry, b.entry));
    const sooner = (a: Ticket, b: Ticket): boolean =>
      a.at !== b.at ? a.at < b.at : options.before(a.entry, b.entry);
    this.#backingOff = new OrderedHeap(sooner);
    this.#erring = new OrderedHeap(sooner);
  }

  /** How many pods wait where. */
  counts(): Readonly<Record<QueueName, number>> {
    const counts = { active: 0, backoff: 0, unschedulable: 0, gated: 0 };
    for (const { place, gatedBy } of this.#entries.values()) {
      if (gatedBy !== undefined) counts.gated++;
      else if (place !== 'in-flight') counts[place]++;
    }
    return counts;
  }

  /** Pods that fit nowhere, by each plug-in that says so. */
  *rejected(): Iterable<readonly [plugin: string, pod: PodInfo]> {
    for (const { info, gatedBy, unschedulablePlugins } of this.#entries.values()) {
      if (gatedBy !== undefined) yield [gatedBy, info];
      else for (const plugin of unschedulablePlugins) yield [plugin, info];
    }
  }

  /** A pod that is new to the scheduler. */
  add(info: PodInfo): void {
    if (this.#entries.has(info.uid)) return;
    const entry: Entry = {
      info,
      enqueuedAt: this.#options.clock.now(),
      addedAt: this.#options.clock.now(),
      order: this.#arrivals++,
      attempts: 0,
      place: 'unschedulable',
      rejections: 0,
      errors: 0,
      unschedulablePlugins: nobody,
      pendingPlugins: nobody,
      gatedBy: undefined,
      parkedFor: [],
      backoffUntil: 0,
      firstEvent: 0,
    };
    this.#entries.set(info.uid, entry);
    this.#activate(entry, 'PodAdd');
  }

  /** A new version of a waiting pod; `events` say what changed that matters to scheduling. */
  update(info: PodInfo, events: readonly ClusterEvent[]): void {
    const entry = this.#entries.get(info.uid);
    if (!entry) {
      this.add(info);
      return;
    }
    entry.info = info;
    for (const event of events) {
      if (entry.place === 'unschedulable') this.#reconsider(entry, event);
      else if (entry.place === 'in-flight') this.#events.push(event);
    }
  }

  /** The newest form of a waiting pod. */
  get(uid: string): PodInfo | undefined {
    return this.#entries.get(uid)?.info;
  }

  /** Forgets a pod. */
  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    this.#entries.delete(uid);
    this.#unpark(entry);
    this.#land(entry);
  }

  /** The next pod to try; it is the caller's until {@link done}, {@link reject} or {@link fail}. */
  pop(): QueuedPod | undefined {
    const entry = this.#take(this.#active, 'active') ?? this.#take(this.#backingOff, 'backoff');
    if (!entry) return undefined;
    entry.place = 'in-flight';
    entry.attempts++;
    entry.unschedulablePlugins = nobody;
    entry.pendingPlugins = nobody;
    entry.firstEvent = this.#eventsBefore + this.#events.length;
    this.#inFlight.add(entry);
    return entry;
  }

  /** Nothing more can make the attempt a rejection: events need not be kept for the pod. */
  done(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry) this.#land(entry);
  }

  /** The pod fits nowhere: it waits for an event, or was overtaken by one. */
  reject(uid: string, { unschedulablePlugins, pendingPlugins }: Rejection): void {
    const entry = this.#entries.get(uid);
    if (!entry || entry.place !== 'in-flight') return;
    const missed = this.#missed(entry);
    this.#land(entry);
    entry.unschedulablePlugins = unschedulablePlugins;
    entry.pendingPlugins = pendingPlugins;
    entry.errors = 0;
    if (pendingPlugins.size === 0 || unschedulablePlugins.size > 0) entry.rejections++;
    this.#retime(entry);
    if (unschedulablePlugins.size === 0 && pendingPlugins.size === 0) {
      this.#backOff(entry, attemptFailed);
      return;
    }
    this.#park(entry, attemptFailed);
    for (const event of missed) if (this.#unschedulable.has(entry)) this.#reconsider(entry, event);
  }

  /** The attempt failed for a reason that is not the pod's: tried again after a back-off. */
  fail(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry || entry.place !== 'in-flight') return;
    this.#land(entry);
    entry.errors++;
    this.#retime(entry);
    this.#backOff(entry, attemptFailed);
  }

  /** Something happened in the cluster: those that it may help are tried again. */
  notify(event: ClusterEvent, isMeant: (pod: PodInfo) => boolean = () => true): void {
    if (this.#inFlight.size > 0) this.#events.push(event);
    if (this.#unschedulable.size === 0) return;
    for (const entry of this.#concernedBy(event)) if (isMeant(entry.info)) this.#reconsider(entry, event);
  }

  #concernedBy(event: ClusterEvent): ReadonlySet<Entry> {
    const plugins = this.#options.concerned(event);
    if (!plugins) return new Set(this.#unschedulable);
    const entries = new Set<Entry>();
    for (const plugin of plugins) for (const entry of this.#waitingFor.get(plugin) ?? []) entries.add(entry);
    return entries;
  }

  /** Tries waiting pods at once. */
  activate(uids: readonly string[]): void {
    for (const uid of uids) {
      const entry = this.#entries.get(uid);
      if (entry && (entry.place === 'unschedulable' || entry.place === 'backoff'))
        this.#activate(entry, 'ForceActivate');
    }
  }

  stop(): void {
    for (const uid of this.#entries.keys()) this.remove(uid);
    this.#backoffTimer?.timer.cancel();
    this.#backoffTimer = undefined;
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
  }

  #reconsider(entry: Entry, event: ClusterEvent): void {
    const hints = this.#options.hintsFor(entry.info);
    if (event.resource === 'TargetPod' && event.next?.metadata.uid !== entry.info.uid) return;
    const wakes = (plugin: string): boolean => hints.wakes(plugin, entry.info, event);
    if (entry.gatedBy !== undefined) {
      if (wakes(entry.gatedBy)) this.#activate(entry, labelOf(event));
      return;
    }
    for (const plugin of entry.pendingPlugins) {
      if (wakes(plugin)) {
        this.#activate(entry, labelOf(event));
        return;
      }
    }
    const { unschedulablePlugins } = entry;
    if (event.resource === '*' || [...unschedulablePlugins].some(wakes)) this.#backOff(entry, labelOf(event));
  }

  #activate(entry: Entry, event: string): void {
    const gated = this.#options.preEnqueue(entry.info);
    entry.gatedBy = gated?.plugin;
    if (gated) {
      this.#park(entry, event);
      return;
    }
    this.#unpark(entry);
    entry.place = 'active';
    this.#active.push({ entry, at: 0, order: entry.order });
    this.#options.onQueued?.('active', event);
    this.#options.wake();
  }

  /** Waits for the rest of the back-off, if any is left. */
  #backOff(entry: Entry, event: string): void {
    const failures = entry.errors > 0 ? entry.errors : entry.rejections;
    const until = failures === 0 ? 0 : entry.enqueuedAt + backoffMs(this.#backoff, failures);
    if (until <= this.#options.clock.now()) {
      this.#activate(entry, event);
      return;
    }
    this.#unpark(entry);
    entry.place = 'backoff';
    entry.backoffUntil = until;
    const heap = entry.errors > 0 ? this.#erring : this.#backingOff;
    heap.push({ entry, at: until, order: entry.order });
    this.#options.onQueued?.('backoff', event);
    this.#armBackoff(until);
    if (entry.errors === 0) this.#options.wake();
  }

  #park(entry: Entry, event: string): void {
    this.#unpark(entry);
    this.#options.onQueued?.(entry.gatedBy === undefined ? 'unschedulable' : 'gated', event);
    entry.place = 'unschedulable';
    this.#unschedulable.add(entry);
    for (const plugin of blockersOf(entry)) {
      const waiting = this.#waitingFor.get(plugin) ?? new Set<Entry>();
      this.#waitingFor.set(plugin, waiting.add(entry));
    }
    entry.parkedFor = blockersOf(entry);
    this.#flushTimer ??= this.#options.clock.after(flushMs, () => this.#flushUnschedulable());
  }

  #unpark(entry: Entry): void {
    if (!this.#unschedulable.delete(entry)) return;
    for (const plugin of entry.parkedFor) {
      const waiting = this.#waitingFor.get(plugin);
      waiting?.delete(entry);
      if (waiting?.size === 0) this.#waitingFor.delete(plugin);
    }
    entry.parkedFor = [];
  }

  #retime(entry: Entry): void {
    entry.enqueuedAt = this.#options.clock.now();
    entry.order = this.#arrivals++;
  }

  #take(heap: OrderedHeap<Ticket>, place: Place): Entry | undefined {
    for (;;) {
      const ticket = heap.pop();
      if (!ticket) return undefined;
      if (isValid(ticket, place, this.#entries)) return ticket.entry;
    }
  }

  #armBackoff(at: number): void {
    if (this.#backoffTimer && this.#backoffTimer.at <= at) return;
    this.#backoffTimer?.timer.cancel();
    const { clock } = this.#options;
    const timer = clock.after(Math.max(0, at - clock.now()), () => this.#endBackoffs());
    this.#backoffTimer = { at, timer };
  }

  #endBackoffs(): void {
    this.#backoffTimer = undefined;
    const now = this.#options.clock.now();
    for (const heap of [this.#backingOff, this.#erring]) {
      for (let ticket = heap.peek(); ticket; ticket = heap.peek()) {
        const valid = isValid(ticket, 'backoff', this.#entries);
        if (valid && ticket.at > now) {
          this.#armBackoff(ticket.at);
          break;
        }
        heap.pop();
        if (valid) this.#activate(ticket.entry, 'BackoffComplete');
      }
    }
  }

  #flushUnschedulable(): void {
    this.#flushTimer = undefined;
    const oldest = this.#options.clock.now() - longestUnschedulableMs;
    for (const entry of this.#unschedulable) {
      if (entry.gatedBy === undefined && entry.enqueuedAt <= oldest)
        this.#backOff(entry, 'UnschedulableTimeout');
    }
    if (this.#unschedulable.size === 0) return;
    this.#flushTimer = this.#options.clock.after(flushMs, () => this.#flushUnschedulable());
  }

  #missed(entry: Entry): readonly ClusterEvent[] {
    return this.#events.slice(entry.firstEvent - this.#eventsBefore);
  }

  #land(entry: Entry): void {
    if (!this.#inFlight.delete(entry)) return;
    const [oldest] = this.#inFlight;
    const seen = oldest ? oldest.firstEvent - this.#eventsBefore : this.#events.length;
    if (seen === 0) return;
    this.#events = this.#events.slice(seen);
    this.#eventsBefore += seen;
  }
}

function blockersOf({ gatedBy, unschedulablePlugins, pendingPlugins }: Entry): readonly string[] {
  return gatedBy === undefined ? [...unschedulablePlugins, ...pendingPlugins] : [gatedBy];
}

/** What upstream's metrics call an event. */
function labelOf({ resource, action }: ClusterEvent): string {
  return `${resource}${action}`;
}

/** A place in a heap; void when the entry has moved on since. */
interface Ticket {
  readonly entry: Entry;
  readonly at: number;
  readonly order: number;
}

function isValid({ entry, at, order }: Ticket, place: Place, entries: ReadonlyMap<string, Entry>): boolean {
  if (entries.get(entry.info.uid) !== entry || entry.place !== place || entry.order !== order) return false;
  return place === 'active' || entry.backoffUntil === at;
}
