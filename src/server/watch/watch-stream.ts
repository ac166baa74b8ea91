import { newTooOldResourceVersion } from '../../machinery/status/errors.ts';
import type { CacheEntry, CacheEvent, CacheSubscriber, ResourceCache } from './resource-cache.ts';

/** What a watcher wants to see. */
export interface WatchSelection {
  readonly prefix: string;
  readonly filtered: boolean;
  matches(entry: CacheEntry): boolean;
}

/** One change as one watcher sees it: `type` may differ from the event's when a filter is passed or left. */
export interface SeenEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The state to show. */
  readonly entry: CacheEntry;
  readonly revision: number;
  /** Whether all watchers that see this event as this type see the same bytes. */
  readonly shared: CacheEvent | undefined;
}

export interface WatchStreamOptions {
  readonly cache: ResourceCache;
  readonly selection: WatchSelection;
  /** Changes after this revision. Undefined: the state now, as ADDED, and what follows. */
  readonly after: number | undefined;
  onEvents(events: readonly SeenEvent[]): void;
  onEnd(): void;
}

/** A change as seen through a selection; undefined when it does not concern it. */
export function seenThrough(selection: WatchSelection, event: CacheEvent): SeenEvent | undefined {
  if (!event.entry.key.startsWith(selection.prefix)) return undefined;
  const { revision, entry, previous } = event;
  if (!selection.filtered) return { type: event.type, entry, revision, shared: event };
  const before = previous !== undefined && selection.matches(previous);
  const now = event.type !== 'DELETED' && selection.matches(entry);
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', entry, revision, shared: event };
  if (!before) return undefined;
  if (event.type === 'DELETED') return { type: 'DELETED', entry, revision, shared: event };
  return { type: 'DELETED', entry: previous, revision, shared: undefined };
}

/** Starts a watch; events that are already known are given before this returns. Throws 410 when `after` is too long ago. */
export function startWatch(options: WatchStreamOptions): { close(): void } {
  const { cache, selection, after } = options;
  if (after === undefined) {
    const initial: SeenEvent[] = [];
    for (const entry of cache.current().range(selection.prefix)) {
      if (selection.filtered && !selection.matches(entry)) continue;
      initial.push({ type: 'ADDED', entry, revision: entry.revision, shared: undefined });
    }
    cache.countInitial(initial.length);
    if (initial.length > 0) options.onEvents(initial);
  } else {
    const missed = cache.eventsAfter(after);
    if (!missed) throw newTooOldResourceVersion(String(after), String(cache.horizon));
    cache.countInitial(missed.length);
    give(missed);
  }
  function give(events: readonly CacheEvent[]): void {
    const seen: SeenEvent[] = [];
    for (const event of events) {
      if (after !== undefined && event.revision <= after) continue;
      const item = seenThrough(selection, event);
      if (item) seen.push(item);
    }
    if (seen.length > 0) options.onEvents(seen);
  }
  const subscriber: CacheSubscriber = { onEvents: give, onEnd: () => options.onEnd() };
  cache.subscribe(subscriber);
  return { close: () => cache.unsubscribe(subscriber) };
}
