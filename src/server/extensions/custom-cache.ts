import type { Entry, StoreEvent } from '../../storage/kv.ts';
import type { ResourceCache } from '../watch/resource-cache.ts';
import type { FeedSubscriber, StoreFeed } from '../watch/store-feed.ts';

/** Stored values in the version of a cache. Rejects with a `StatusError` when they cannot be converted. */
export type Translate = (values: readonly Buffer[]) => Promise<readonly Buffer[]>;

export interface CustomCacheOptions {
  readonly cache: ResourceCache;
  readonly feed: StoreFeed;
  /** Everything below the prefix and the revision at which it is so. */
  list(): Promise<{ readonly entries: readonly Entry[]; readonly revision: number }>;
  /** Absent: the cache decodes what is stored by itself. */
  readonly translate?: Translate;
}

/**
 * The cache of one version of a custom resource. It is filled while the server runs, when it is first waited for or at once,
 * and again after a conversion failed.
 */
export class CustomCache implements FeedSubscriber {
  readonly prefix: string;
  readonly cache: ResourceCache;
  readonly #options: CustomCacheOptions;
  #filling: Promise<void> | undefined;
  /** What was committed while the cache is being filled. */
  #waiting: StoreEvent[] | undefined;
  /** Ends when all that was committed is translated. */
  #tail: Promise<void> | undefined;
  #closed = false;

  constructor(options: CustomCacheOptions) {
    this.prefix = options.cache.prefix;
    this.cache = options.cache;
    this.#options = options;
  }

  /** Resolves when the cache has everything that is committed. Rejects with a `StatusError`. */
  async ready(): Promise<void> {
    this.#filling ??= this.#fill();
    await this.#filling;
    if (this.#tail) await this.#tail;
  }

  onEvents(events: readonly StoreEvent[]): void {
    if (this.#waiting) this.#waiting.push(...events);
    else this.#take(events);
  }

  close(): void {
    this.#closed = true;
    this.#options.feed.unsubscribe(this);
    this.cache.end();
  }

  async #fill(): Promise<void> {
    const { feed, list, translate } = this.#options;
    this.#waiting = [];
    feed.subscribe(this);
    try {
      const { entries, revision } = await list();
      const values = entries.map(({ value }) => value);
      const translated = translate ? await translate(values) : values;
      if (this.#closed) return;
      this.cache.restore(
        entries.map((entry, index) => ({ ...entry, value: translated[index] ?? entry.value })),
        revision,
      );
      const missed = this.#waiting.filter((event) => event.revision > revision);
      this.#waiting = undefined;
      if (missed.length > 0) this.#take(missed);
    } catch (error) {
      this.#reset();
      throw error;
    }
  }

  #reset(): void {
    this.#options.feed.unsubscribe(this);
    this.#filling = undefined;
    this.#waiting = undefined;
    this.#tail = undefined;
  }

  #take(events: readonly StoreEvent[]): void {
    const { translate } = this.#options;
    if (!translate) {
      this.cache.onEvents(events);
      return;
    }
    const before = this.#tail ?? Promise.resolve();
    const tail = before.then(() => this.#translated(events, translate));
    this.#tail = tail;
    tail.then(
      () => {
        if (this.#tail === tail) this.#tail = undefined;
      },
      () => {
        if (this.#tail !== tail) return;
        // The next request fills the cache anew, and is told why that fails.
        this.#reset();
        this.cache.end();
      },
    );
  }

  async #translated(events: readonly StoreEvent[], translate: Translate): Promise<void> {
    const puts = events.flatMap((event) => (event.type === 'put' ? [event] : []));
    const values = await translate(puts.map(({ value }) => value));
    const byEvent = new Map(puts.map((event, index) => [event, values[index]]));
    this.cache.onEvents(
      events.map((event) => {
        const value = byEvent.get(event);
        return event.type === 'put' && value ? { ...event, value } : event;
      }),
    );
  }
}
