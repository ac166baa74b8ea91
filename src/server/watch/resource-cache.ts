import type { Clock } from '../../base/clock.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import type { Entry, StoreEvent } from '../../storage/kv.ts';
import { deepFreeze } from './deep-freeze.ts';
import { SharedParts } from './shared-parts.ts';
import { SortedEntries, type Keyed } from './sorted-entries.ts';
import { replaceResourceVersion, withResourceVersion } from './stored-json.ts';

/** One stored object: its bytes as clients see them, and what selectors look at. */
export interface CacheEntry extends Keyed {
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  /** JSON in the stored version, with `metadata.resourceVersion`. */
  readonly json: Buffer;
  readonly labels: Readonly<Record<string, string>>;
  /** The selectable fields that the resource declares, beside name and namespace. */
  readonly fields: Readonly<Record<string, string>>;
}

/** One change, as all watchers of the resource share it. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  /** The new state; of a deletion the last state, at the deletion's revision. */
  readonly entry: CacheEntry;
  readonly previous?: CacheEntry;
  /** Encodings made so far, by format, if any. */
  frames: Map<string, Buffer> | undefined;
}

/** Receives changes in order; must not throw. */
export interface CacheSubscriber {
  onEvents(events: readonly CacheEvent[]): void;
  /** The cache cannot go on: the store ended. */
  onEnd(): void;
}

export interface ResourceCacheOptions {
  /** `/registry/<group>/<resource>/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly clock: Clock;
  /** Parses stored bytes. */
  decode(stored: Buffer): KubeObject;
  /** The JSON of an object as clients see it, where that is not what is stored. */
  encode?(object: KubeObject): Buffer;
  /** What is written may not be what is read: written objects are decoded like all others. */
  readonly rereads?: true;
  /** The values of the declared selectable fields. */
  selectable(object: KubeObject): Readonly<Record<string, string>>;
}

interface Slot extends CacheEntry {
  decoded: Live<KubeObject> | undefined;
  /** The object for as long as somebody else, an informer of this process, holds it. */
  shared: WeakRef<Live<KubeObject>> | undefined;
}

const windowMs = 5 * 60_000;
const windowLimit = 16_384;
/** Large objects that change often must not fill the memory. */
const windowBytes = 64 << 20;
const decodedLimit = 4_096;
const keptLimit = 32;
/** Of few objects, and in large ones, equal parts are not worth looking for. */
const sharedFrom = 1_000;
const sharedBytes = 64 << 10;

/**
 * All objects of one resource in memory: encoded bytes and an index record each, the recent events, and the snapshots
 * that LIST pages continue from. Objects are decoded on demand, frozen, and shared by all readers.
 */
export class ResourceCache {
  readonly prefix: string;
  readonly #options: ResourceCacheOptions;
  #entries: SortedEntries<Slot> = SortedEntries.empty();
  /** Revision of the newest change to this resource. */
  #changed = 0;
  #bytes = 0;
  #received = 0;
  #fills = 0;
  #restored = 0;
  #initialEvents = 0;
  #window: ({ readonly at: number; readonly event: CacheEvent } | undefined)[] = [];
  #windowStart = 0;
  #windowSize = 0;
  /** Every change after this revision is in the window. */
  #horizon = 0;
  readonly #kept = new Map<number, { readonly at: number; readonly entries: SortedEntries<Slot> }>();
  readonly #subscribers = new Set<CacheSubscriber>();
  readonly #written = new WeakMap<Buffer, KubeObject>();
  readonly #ring: Slot[] = [];
  #ringAt = 0;
  #loaded: Slot[] = [];
  #parts: SharedParts | undefined;

  constructor(options: ResourceCacheOptions) {
    this.prefix = options.prefix;
    this.#options = options;
  }

  /** The oldest revision that a watch may start from. */
  get horizon(): number {
    return this.#horizon;
  }

  /** The revision of the newest change. */
  get changed(): number {
    return this.#changed;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of all objects together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Changes that the store has reported since the start. */
  get received(): number {
    return this.#received;
  }

  /** How often it was filled from the store. */
  get fills(): number {
    return this.#fills;
  }

  /** Objects that it was filled with. */
  get restored(): number {
    return this.#restored;
  }

  /** Events that the window has room for. */
  get capacity(): number {
    return windowLimit;
  }

  /** Events with which watches began, of what was there before them. */
  get initialEvents(): number {
    return this.#initialEvents;
  }

  /** Counts events with which a watch begins. */
  countInitial(events: number): void {
    this.#initialEvents += events;
  }

  /** Takes a part of the stored state that is to be restored, in order of keys. */
  load(entries: readonly Entry[]): void {
    for (const { key, revision, value } of entries)
      this.#loaded.push(this.#slot(key, revision, value, this.#options.decode(value)));
  }

  /** Takes the stored state as of `revision`: what was loaded and `entries`, in order of keys. */
  restore(entries: readonly Entry[], revision: number): void {
    this.load(entries);
    this.#entries = SortedEntries.from(this.#loaded);
    for (const { json } of this.#loaded) this.#bytes += json.length;
    this.#fills++;
    this.#restored += this.#loaded.length;
    this.#loaded = [];
    this.#changed = revision;
    this.#horizon = revision;
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key);
  }

  /** The entry's object: complete, frozen, shared. */
  object(entry: CacheEntry): Live<KubeObject> {
    const slot = entry as Slot;
    const held = slot.decoded ?? slot.shared?.deref();
    if (held) return held;
    const decoded = this.#freeze(this.#options.decode(slot.json), slot.json.length) as Live<KubeObject>;
    this.#remember(slot, decoded);
    return decoded;
  }

  /** The newest state. */
  current(): SortedEntries<CacheEntry> {
    return this.#entries;
  }

  /** The state at `revision`, which the cache has reached; undefined when it is too far back. */
  snapshot(revision: number): SortedEntries<CacheEntry> | undefined {
    if (revision >= this.#changed) return this.#entries;
    const kept = this.#kept.get(revision);
    if (kept) return kept.entries;
    if (revision < this.#horizon) return undefined;
    let entries = this.#entries;
    for (let at = this.#window.length - 1; at >= this.#windowStart; at--) {
      const event = this.#window[at]?.event;
      if (!event || event.revision <= revision) break;
      entries = event.previous ? entries.with(event.previous as Slot) : entries.without(event.entry.key);
    }
    return entries;
  }

  /** Keeps the state at `revision` for some minutes, for the pages that follow. */
  keep(revision: number): void {
    const entries = this.snapshot(revision) as SortedEntries<Slot> | undefined;
    const now = this.#options.clock.monotonic();
    for (const [key, value] of this.#kept) {
      if (this.#kept.size < keptLimit && now - value.at < windowMs) break;
      this.#kept.delete(key);
    }
    if (entries) this.#kept.set(revision, { at: now, entries });
  }

  /** The changes after `revision`, oldest first; undefined when the window no longer reaches back that far. */
  eventsAfter(revision: number): CacheEvent[] | undefined {
    if (revision < this.#horizon) return undefined;
    let low = this.#windowStart;
    let high = this.#window.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#window[middle]?.event.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#window.slice(low).flatMap((item) => (item ? [item.event] : []));
  }

  subscribe(subscriber: CacheSubscriber): void {
    this.#subscribers.add(subscriber);
  }

  unsubscribe(subscriber: CacheSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  get watchers(): number {
    return this.#subscribers.size;
  }

  /** Saves decoding `stored` again when the store reports it as written. The object must not change afterwards. */
  expect(stored: Buffer, object: KubeObject): void {
    if (!this.#options.rereads) this.#written.set(stored, object);
  }

  /** Takes committed writes of the prefix, in order. */
  onEvents(changes: readonly StoreEvent[]): void {
    const events: CacheEvent[] = [];
    const at = this.#options.clock.monotonic();
    for (const change of changes) {
      const event = this.#apply(change);
      if (!event) continue;
      events.push(event);
      this.#received++;
      if (event.type !== 'DELETED') this.#bytes += event.entry.json.length;
      this.#bytes -= event.previous?.json.length ?? 0;
      this.#window.push({ at, event });
      this.#windowSize += event.entry.json.length;
      this.#changed = event.revision;
    }
    this.#trim(at);
    if (events.length === 0) return;
    for (const subscriber of this.#subscribers) subscriber.onEvents(events);
    for (const event of events) release(event);
  }

  /** Ends all watches. */
  end(): void {
    for (const subscriber of this.#subscribers) subscriber.onEnd();
  }

  #apply(change: StoreEvent): CacheEvent | undefined {
    const previous = this.#entries.get(change.key);
    if (change.type === 'delete') {
      if (!previous) return undefined;
      this.#entries = this.#entries.without(change.key);
      const json = replaceResourceVersion(previous.json, change.revision);
      const entry: Slot = {
        ...previous,
        revision: change.revision,
        json,
        decoded: undefined,
        shared: undefined,
      };
      return { type: 'DELETED', revision: change.revision, entry, previous, frames: undefined };
    }
    const object = this.#written.get(change.value) ?? this.#options.decode(change.value);
    const entry = this.#slot(change.key, change.revision, change.value, object);
    this.#remember(entry, this.#live(object, entry));
    this.#entries = this.#entries.with(entry);
    if (!previous) return { type: 'ADDED', revision: change.revision, entry, frames: undefined };
    return { type: 'MODIFIED', revision: change.revision, entry, previous, frames: undefined };
  }

  #live(object: KubeObject, { revision, json }: Slot): Live<KubeObject> {
    const metadata = { ...object.metadata, resourceVersion: String(revision) };
    const live = { ...object, metadata };
    // What nobody watches nobody holds for long.
    if (this.#subscribers.size === 0) return deepFreeze(live) as Live<KubeObject>;
    return this.#freeze(live, json.length) as Live<KubeObject>;
  }

  #freeze(object: KubeObject, bytes: number): KubeObject {
    if (this.#entries.size < sharedFrom || bytes > sharedBytes) return deepFreeze(object);
    this.#parts ??= new SharedParts();
    return this.#parts.freeze(object);
  }

  #slot(key: string, revision: number, stored: Buffer, object: KubeObject): Slot {
    const tail = key.slice(this.prefix.length);
    const slash = this.#options.namespaced ? tail.indexOf('/') : -1;
    return {
      key,
      namespace: slash < 0 ? '' : tail.slice(0, slash),
      name: tail.slice(slash + 1),
      revision,
      json: withResourceVersion(this.#options.encode?.(object) ?? stored, revision),
      labels: object.metadata.labels ?? {},
      fields: this.#options.selectable(object),
      decoded: undefined,
      shared: undefined,
    };
  }

  #remember(slot: Slot, object: Live<KubeObject>): void {
    const displaced = this.#ring[this.#ringAt];
    if (displaced?.decoded) {
      displaced.shared = new WeakRef(displaced.decoded);
      displaced.decoded = undefined;
    }
    slot.decoded = object;
    this.#ring[this.#ringAt] = slot;
    this.#ringAt = (this.#ringAt + 1) % decodedLimit;
  }

  #trim(now: number): void {
    const excess = (): boolean => {
      const oldest = this.#window[this.#windowStart];
      if (!oldest) return false;
      if (this.#window.length - this.#windowStart > windowLimit || now - oldest.at > windowMs) return true;
      return this.#windowSize > windowBytes && this.#windowStart < this.#window.length - 1;
    };
    while (excess()) {
      const { revision, entry } = this.#window[this.#windowStart]?.event ?? {};
      this.#horizon = revision ?? this.#horizon;
      this.#windowSize -= entry?.json.length ?? 0;
      this.#window[this.#windowStart++] = undefined;
    }
    if (this.#windowStart > 1024 && this.#windowStart * 2 > this.#window.length) {
      this.#window = this.#window.slice(this.#windowStart);
      this.#windowStart = 0;
    }
  }
}

/** Of what is past, the window keeps bytes only. */
function release(event: CacheEvent): void {
  const { type, entry, previous } = event;
  event.frames = undefined;
  if (previous) forget(previous as Slot);
  if (type === 'DELETED') forget(entry as Slot);
}

function forget(slot: Slot): void {
  slot.decoded = undefined;
  slot.shared = undefined;
}
