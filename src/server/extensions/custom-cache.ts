import { StatusError } from '../../machinery/status-error.ts';
import type { Entry, StoreEvent } from '../../storage/kv.ts';
import type { ResourceCache } from '../watch/resource-cache.ts';
import type { FeedSubscriber, StoreFeed } from '../watch/store-feed.ts';

/**
 * Stored values in the version of a cache, or why one of them cannot be converted. Rejects with a `StatusError` when nobody
 * can be asked.
 */
export type Translate = (values: readonly Buffer[]) => Promise<readonly (Buffer | StatusError)[]>;

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
  /** What cannot be converted, by key: the cache does not have it. */
  readonly #unreadable = new Map<string, StatusError>();

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

  /** {@link ready}, with the object of a key, or with all below a prefix. Rejects with why one of them cannot be converted. */
  async readyWith(about: { readonly key: string } | { readonly prefix: string }): Promise<void> {
    await this.ready();
    if (!this.#problemOf(about)) return;
    // It may be possible by now.
    this.#reset();
    this.cache.end();
    await this.ready();
    const problem = this.#problemOf(about);
    if (problem) throw problem;
  }

  #problemOf(about: { readonly key: string } | { readonly prefix: string }): StatusError | undefined {
    if ('key' in about) return this.#unreadable.get(about.key);
    return [...this.#unreadable].find(([key]) => key.startsWith(about.prefix))?.[1];
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
      this.#unreadable.clear();
      this.cache.restore(
        entries.flatMap((entry, index) => {
          const value = this.#readable(entry.key, translated[index]);
          return value ? [{ ...entry, value }] : [];
        }),
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
    // Whoever watches is told by listing again.
    if (values.some((value) => !Buffer.isBuffer(value))) this.cache.end();
    this.cache.onEvents(
      events.map((event): StoreEvent => {
        const value = this.#readable(event.key, byEvent.get(event));
        if (event.type !== 'put') return event;
        if (value) return { ...event, value };
        return { ...event, type: 'delete' };
      }),
    );
  }

  #readable(key: string, value: Buffer | StatusError | undefined): Buffer | undefined {
    if (value instanceof StatusError) {
      this.#unreadable.set(key, value);
      return undefined;
    }
    this.#unreadable.delete(key);
    return value;
  }
}
