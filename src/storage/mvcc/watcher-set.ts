import { StoreError, type StoreEvent, type Watch, type WatchOptions } from '../kv.ts';
import type { Change } from './backend.ts';

interface Watcher {
  readonly options: WatchOptions;
  /** Whether it has been told the past and is due what is published. */
  live: boolean;
}

/** The running watches of a store. */
export class WatcherSet {
  readonly #watchers = new Set<Watcher>();

  /** `past` is asked after the caller has its `Watch`, for all that was committed by then. */
  add(options: WatchOptions, past: () => readonly Change[] | StoreError): Watch {
    const watcher: Watcher = { options, live: false };
    this.#watchers.add(watcher);
    queueMicrotask(() => {
      if (!this.#watchers.has(watcher)) return;
      const changes = past();
      watcher.live = true;
      if (changes instanceof StoreError) {
        this.#watchers.delete(watcher);
        options.onError(changes);
      } else if (changes.length > 0) {
        options.onEvents(changes.map(eventOf));
      }
    });
    return { close: () => void this.#watchers.delete(watcher) };
  }

  publish(changes: readonly Change[]): void {
    if (this.#watchers.size === 0) return;
    const events = changes.map(eventOf);
    for (const { live, options } of this.#watchers) {
      if (!live) continue;
      const wanted = events.filter(
        ({ key, revision }) => revision > options.after && key.startsWith(options.prefix),
      );
      if (wanted.length > 0) options.onEvents(wanted);
    }
  }

  end(error: StoreError): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const { options } of watchers) options.onError(error);
  }
}

function eventOf({ key, revision, previous, next }: Change): StoreEvent {
  const before = previous && { previous: previous.value };
  if (next) {
    return {
      type: 'put',
      key,
      revision,
      createdRevision: next.createdRevision,
      value: next.value,
      ...before,
    };
  }
  if (!previous)
    throw new StoreError('CORRUPT', `revision ${revision} deletes key ${key}, which did not exist`);
  return {
    type: 'delete',
    key,
    revision,
    createdRevision: previous.createdRevision,
    value: previous.value,
    ...before,
  };
}
