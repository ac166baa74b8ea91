import { backoffMs, type BackoffPolicy } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { ClusterEvent } from './framework.ts';
import type { PodInfo } from './pod-info.ts';

interface Entry {
  info: PodInfo;
  readonly order: number;
  attempts: number;
}

const backoff: BackoffPolicy = { baseMs: 1000, maxMs: 10_000 };

/**
 * Pods that wait for a node: those to be tried now (by priority, then arrival), those that fit nowhere until something
 * changes, and those whose binding failed and that wait for their backoff.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #active = new Map<string, Entry>();
  readonly #parked = new Map<
    string,
    { readonly entry: Entry; readonly wokenBy: ReadonlySet<ClusterEvent> }
  >();
  readonly #delayed = new Map<string, { readonly entry: Entry; readonly timer: Timer }>();
  readonly #entries = new Map<string, Entry>();
  readonly #wake: () => void;
  #sorted: Entry[] = [];
  #arrivals = 0;

  /** `wake` is called whenever there is something to {@link pop}. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** A pod that is new or changed so that it may fit now. */
  add(info: PodInfo): void {
    const { uid } = info.pod.metadata;
    const entry = this.#entries.get(uid) ?? { info, order: this.#arrivals++, attempts: 0 };
    entry.info = info;
    this.#entries.set(uid, entry);
    this.#activate(uid, entry);
  }

  /** Holds the newest form of a pod without trying it again. */
  refresh(info: PodInfo): void {
    const entry = this.#entries.get(info.pod.metadata.uid);
    if (entry) entry.info = info;
  }

  /** Forgets a pod. */
  remove(uid: string): void {
    this.#leave(uid);
    this.#entries.delete(uid);
  }

  /** The next pod to try; it is the caller's until handed back by {@link park} or {@link retry}, or removed. */
  pop(): PodInfo | undefined {
    for (;;) {
      const entry = this.#sorted.pop();
      if (!entry) return undefined;
      const { uid } = entry.info.pod.metadata;
      if (this.#active.get(uid) !== entry) continue;
      this.#active.delete(uid);
      entry.attempts++;
      return entry.info;
    }
  }

  /** The pod fits nowhere: waits for one of these events. */
  park(uid: string, wokenBy: ReadonlySet<ClusterEvent>): void {
    const entry = this.#entries.get(uid);
    if (entry && !this.#active.has(uid)) this.#parked.set(uid, { entry, wokenBy });
  }

  /** The attempt failed for another reason: tried again after a backoff. */
  retry(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry || this.#active.has(uid)) return;
    const timer = this.#clock.after(backoffMs(backoff, entry.attempts), () => this.#activate(uid, entry));
    this.#delayed.set(uid, { entry, timer });
  }

  /** Something happened in the cluster: those that waited for it are tried again. */
  notify(event: ClusterEvent): void {
    for (const [uid, { entry, wokenBy }] of this.#parked) if (wokenBy.has(event)) this.#activate(uid, entry);
  }

  stop(): void {
    for (const uid of this.#entries.keys()) this.remove(uid);
  }

  #activate(uid: string, entry: Entry): void {
    if (this.#active.has(uid)) return;
    this.#leave(uid);
    this.#active.set(uid, entry);
    insert(this.#sorted, entry);
    this.#wake();
  }

  #leave(uid: string): void {
    this.#active.delete(uid);
    this.#parked.delete(uid);
    this.#delayed.get(uid)?.timer.cancel();
    this.#delayed.delete(uid);
  }
}

/** Keeps the list in ascending order of urgency: the last is the next. */
function insert(list: Entry[], entry: Entry): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = list[middle];
    if (other && isMoreUrgent(entry, other)) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, entry);
}

function isMoreUrgent(a: Entry, b: Entry): boolean {
  const difference = (a.info.pod.spec.priority ?? 0) - (b.info.pod.spec.priority ?? 0);
  return difference > 0 || (difference === 0 && a.order < b.order);
}
