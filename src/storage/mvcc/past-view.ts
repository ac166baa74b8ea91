import type { Entry, ListOptions } from '../kv.ts';
import type { KeyRange } from '../ordered-map.ts';
import type { Backend, Change, StoredEntry, Undo } from './backend.ts';

/** The keys of a prefix with some of the newest writes taken back. Valid within the turn that made it. */
export class PastView {
  readonly #backend: Backend;
  readonly #prefix: string;
  readonly #undos: readonly Undo[];

  /** `undos` are the writes to take back, oldest first. */
  constructor(backend: Backend, prefix: string, undos: Iterable<Undo>) {
    this.#backend = backend;
    this.#prefix = prefix;
    this.#undos = [...undos].filter(({ key }) => key.startsWith(prefix));
  }

  page({ limit, after }: ListOptions): { entries: Entry[]; remaining: number } {
    const range = rangeAfter(this.#prefix, after);
    const replaced = this.#replaced(range.start);
    const entries: Entry[] = [];
    for (const entry of merge(this.#backend.range(range), replaced)) {
      if (entries.length === limit) {
        const last = entries.at(-1);
        return {
          entries,
          remaining: this.#count({ ...range, start: last ? next(last.key) : range.start }, replaced),
        };
      }
      entries.push(entry);
    }
    return { entries, remaining: 0 };
  }

  /** The writes up to a revision with the values they made, oldest first. */
  changes(upTo: number): Change[] {
    const later = new Map<string, StoredEntry | undefined>();
    const changes: Change[] = [];
    for (const undo of this.#undos.toReversed()) {
      const { key, revision, previous } = undo;
      const made = later.has(key) ? later.get(key) : this.#backend.get(key);
      later.set(key, previous);
      if (revision > upTo) continue;
      changes.push({ key, revision, ...(previous && { previous }), ...(made && { next: made }) });
    }
    return changes.reverse();
  }

  /** In key order: what stood at each key touched since, from `start` on. */
  #replaced(start: string): [string, StoredEntry | undefined][] {
    const first = new Map<string, StoredEntry | undefined>();
    for (const { key, previous } of this.#undos)
      if (key >= start && !first.has(key)) first.set(key, previous);
    return [...first].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #count(range: KeyRange, replaced: readonly [string, StoredEntry | undefined][]): number {
    let count = this.#backend.count(range);
    for (const [key, entry] of replaced) {
      if (key < range.start) continue;
      count += Number(entry !== undefined) - Number(this.#backend.get(key) !== undefined);
    }
    return count;
  }
}

function* merge(
  current: Iterable<StoredEntry>,
  replaced: readonly [string, StoredEntry | undefined][],
): Generator<StoredEntry> {
  let at = 0;
  for (const entry of current) {
    for (; at < replaced.length; at += 1) {
      const [key, past] = replaced[at] ?? [];
      if (key === undefined || key >= entry.key) break;
      if (past) yield past;
    }
    if (replaced[at]?.[0] !== entry.key) yield entry;
  }
  for (const [, past] of replaced.slice(at)) if (past) yield past;
}

function rangeAfter(prefix: string, after: string | undefined): KeyRange {
  const start = after !== undefined && after >= prefix ? next(after) : prefix;
  return prefix === '' ? { start } : { start, end: endOf(prefix) };
}

/** The smallest key after `key`. */
function next(key: string): string {
  return `${key}\0`;
}

/** The smallest key after all that start with `prefix`. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
