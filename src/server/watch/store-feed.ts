import type { Store, StoreError, StoreEvent, Watch } from '../../storage/kv.ts';

/** Receives the committed writes below one prefix. */
export interface FeedSubscriber {
  readonly prefix: string;
  onEvents(events: readonly StoreEvent[]): void;
}

interface Waiter {
  readonly revision: number;
  resolve(): void;
  reject(error: StoreError): void;
}

/**
 * One watch over the whole store, handed out by prefix, so that all caches stand at the same revision: a LIST can wait
 * until the cache has seen every write that was acknowledged before it.
 */
export class StoreFeed {
  readonly #store: Store;
  readonly #root: string;
  readonly #subscribers = new Map<string, FeedSubscriber[]>();
  #watch: Watch | undefined;
  #revision = 0;
  #waiters: Waiter[] = [];
  #failure: StoreError | undefined;

  constructor(store: Store, root: string) {
    this.#store = store;
    this.#root = root;
  }

  /** The revision up to which every subscriber has been told everything. */
  get revision(): number {
    return this.#revision;
  }

  /** Prefixes must not lie within each other, and have the same number of segments: `/registry/<group>/<resource>/`. */
  subscribe(subscriber: FeedSubscriber): void {
    const others = this.#subscribers.get(subscriber.prefix) ?? [];
    this.#subscribers.set(subscriber.prefix, [...others, subscriber]);
  }

  unsubscribe(subscriber: FeedSubscriber): void {
    const others = this.#subscribers.get(subscriber.prefix)?.filter((one) => one !== subscriber) ?? [];
    if (others.length > 0) this.#subscribers.set(subscriber.prefix, others);
    else this.#subscribers.delete(subscriber.prefix);
  }

  /** Starts to deliver the writes after `revision`. `onFailure` is called once when the store ends the watch. */
  start(revision: number, onFailure: (error: StoreError) => void): void {
    this.#revision = revision;
    this.#watch = this.#store.watch({
      prefix: this.#root,
      after: revision,
      onEvents: (events) => this.#deliver(events),
      onError: (error) => {
        this.#failure = error;
        for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
        onFailure(error);
      },
    });
  }

  /** Resolves once {@link revision} has reached `revision`; rejects when the store's watch has ended. */
  reached(revision: number): Promise<void> | undefined {
    if (revision <= this.#revision) return undefined;
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ revision, resolve, reject }));
  }

  close(): void {
    this.#watch?.close();
  }

  #deliver(events: readonly StoreEvent[]): void {
    let start = 0;
    while (start < events.length) {
      const prefix = this.#prefixOf(events[start]);
      let end = start + 1;
      while (end < events.length && this.#prefixOf(events[end]) === prefix) end++;
      const own = start === 0 && end === events.length ? events : events.slice(start, end);
      for (const subscriber of this.#subscribers.get(prefix) ?? []) subscriber.onEvents(own);
      start = end;
    }
    this.#revision = events.at(-1)?.revision ?? this.#revision;
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.revision <= this.#revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of due) waiter.resolve();
  }

  #prefixOf(event: StoreEvent | undefined): string {
    if (!event) return '';
    const group = event.key.indexOf('/', this.#root.length);
    return event.key.slice(0, event.key.indexOf('/', group + 1) + 1);
  }
}
