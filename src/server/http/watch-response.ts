import type { Clock } from '../../base/clock.ts';
import { encodeJsonBytes } from '../../machinery/json/encode.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';
import { decodeValue } from '../../machinery/schema/decode.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { entryJson, entryObject } from '../registry/represent.ts';
import { watchFrame } from '../../machinery/protobuf/protobuf-stream.ts';
import type { Registry } from '../registry/request-context.ts';
import type { ServedVersion } from '../registry/served-resource.ts';
import type { WatchPlan } from '../registry/watch-objects.ts';
import { replaceResourceVersion } from '../watch/stored-json.ts';
import { startWatch, type SeenEvent } from '../watch/watch-stream.ts';
import type { Negotiated } from './negotiate.ts';
import { entryEnvelope, objectEnvelope, protobufType, statusEnvelope } from './protobuf-body.ts';
import { partialMetadata, tableOf, type IncludeObject } from './table.ts';
import type { Turns } from './turns.ts';
import type { WatchObserver } from './watch-observer.ts';
import type { WatchSink } from './watch-sink.ts';

const bookmarkIntervalMs = 60_000;
/** A watcher that has left this much unread is cut off; it starts again from the last version it saw. */
const backlogLimit = 16 * 1024 * 1024;

export interface WatchResponseOptions {
  readonly registry: Registry;
  readonly served: ServedVersion;
  readonly plan: WatchPlan;
  readonly negotiated: Negotiated;
  readonly include: IncludeObject;
  /** In which events are written. */
  readonly turns: Turns;
  /** Ends the watch: the server shuts down. */
  readonly signal: AbortSignal;
  /** On the monotonic clock: when the client asked. */
  readonly askedAt: number;
  readonly observer?: WatchObserver;
  /** An event could not be encoded, which is a fault of the server's own; the watch is cut off. */
  onFault(error: unknown): void;
}

function jsonFrame(type: string, json: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), json, Buffer.from('}\n')]);
}

/** Encodes what one watcher sees; events in the resource's own form are encoded once for all. */
class FrameEncoder {
  readonly #options: WatchResponseOptions;
  readonly #clock: Clock;
  #columnsSent = false;

  constructor(options: WatchResponseOptions) {
    this.#options = options;
    this.#clock = options.registry.clock;
  }

  get #binary(): boolean {
    const { negotiated, registry, served } = this.#options;
    return negotiated.mediaType === protobufType && registry.schema.has(served.version.schema);
  }

  get contentType(): string {
    return this.#binary ? `${protobufType};stream=watch` : 'application/json';
  }

  encode(event: SeenEvent): Buffer {
    const { served, negotiated } = this.#options;
    if (negotiated.shape !== 'Object') return jsonFrame(event.type, this.#shaped(this.#objectOf(event)));
    const format = `${this.#binary ? 'protobuf' : 'json'} ${event.type} ${served.type.group}/${served.type.version}`;
    const known = event.shared?.frames?.get(format);
    if (known) return known;
    const made = this.#binary
      ? watchFrame(event.type, this.#envelopeOf(event))
      : jsonFrame(event.type, this.#jsonOf(event));
    if (event.shared) (event.shared.frames ??= new Map()).set(format, made);
    return made;
  }

  /** The event that ends a watch with an error. */
  error(status: object): Buffer {
    if (this.#binary) return watchFrame('ERROR', statusEnvelope(status, this.#options.registry.schema));
    return jsonFrame('ERROR', encodeJsonBytes(status));
  }

  #envelopeOf(event: SeenEvent): Buffer {
    const { served, registry } = this.#options;
    if (event.entry.revision === event.revision) return entryEnvelope(served, event.entry, registry.schema);
    return objectEnvelope(this.#objectOf(event), served.version.schema, registry.schema);
  }

  bookmark(revision: number, initialEnd: boolean): Buffer {
    const { type } = this.#options.served;
    const metadata = {
      resourceVersion: String(revision),
      ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const object = { kind: type.kind, apiVersion: apiVersionOf(type), metadata };
    const { negotiated, registry, served } = this.#options;
    const shown = this.#empty({ ...object, metadata });
    if (negotiated.shape !== 'Object') return jsonFrame('BOOKMARK', this.#shaped(shown));
    if (this.#binary)
      return watchFrame('BOOKMARK', objectEnvelope(shown, served.version.schema, registry.schema));
    return jsonFrame(
      'BOOKMARK',
      encodeJsonBytes({ ...object, metadata: { ...metadata, creationTimestamp: null } }),
    );
  }

  /** With what Go writes for an object that has nothing but metadata: columns read `spec` as if it were there. */
  #empty(object: KubeObject): KubeObject {
    const { registry, served } = this.#options;
    const { schema: message } = served.version;
    if (!registry.schema.has(message)) return object;
    return { ...decodeValue(object, { table: registry.schema, message }).object, ...object };
  }

  #jsonOf(event: SeenEvent): Buffer {
    const json = entryJson(this.#options.served, event.entry);
    return event.entry.revision === event.revision ? json : replaceResourceVersion(json, event.revision);
  }

  #objectOf(event: SeenEvent): KubeObject {
    const object = entryObject(this.#options.served, event.entry);
    if (event.entry.revision === event.revision) return object;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(event.revision) } };
  }

  #shaped(object: KubeObject): Buffer {
    const { served, negotiated, include } = this.#options;
    const { shape, metaVersion } = negotiated;
    if (shape !== 'Table') return encodeJsonBytes(partialMetadata(object, metaVersion, served));
    const withColumns = !this.#columnsSent;
    this.#columnsSent = true;
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
    return encodeJsonBytes(
      tableOf([object], metadata, { served, include, metaVersion, withColumns, now: this.#clock.now() }),
    );
  }
}

/** Streams a watch until the client leaves, its time is up, or the server stops. A start too long ago is answered with an ERROR event. */
export function sendWatch(sink: WatchSink, options: WatchResponseOptions): void {
  const { registry, served, plan, signal, turns, observer } = options;
  const encoder = new FrameEncoder(options);
  const { clock, feed } = registry;
  const waiting: Buffer[] = [];
  let started = false;
  let backlog = 0;
  let blocked = false;
  let ended = false;
  /** Nothing more may be written. */
  let over = false;
  let expired = false;

  function write(chunk: Buffer): void {
    if (started) turns.run(() => writeNow(chunk));
    else waiting.push(chunk);
  }

  function writeNow(chunk: Buffer): void {
    if (over) return;
    if (!blocked) {
      blocked = !sink.write(chunk);
      return;
    }
    waiting.push(chunk);
    backlog += chunk.length;
    if (backlog > backlogLimit) cutOff();
  }

  function finish(): void {
    if (ended) return;
    ended = true;
    subscription.close();
    lifetime.cancel();
    bookmarks?.cancel();
    signal.removeEventListener('abort', end);
  }

  function end(): void {
    finish();
    turns.run(() => {
      if (!over) sink.end();
      over = true;
    });
  }

  function cutOff(): void {
    finish();
    over = true;
    waiting.length = 0;
    sink.destroy();
  }

  function subscribe(): { close(): void } {
    try {
      if (plan.failure) throw plan.failure;
      const { cache } = served.resource;
      return startWatch({ cache, selection: plan.selection, after: plan.after, onEvents, onEnd: end });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      waiting.push(encoder.error(error.status));
      expired = true;
      return { close: () => undefined };
    }
  }

  function onEvents(events: readonly SeenEvent[]): void {
    if (ended) return;
    guarded(() => {
      const frames = events.map((event) => encoder.encode(event));
      if (observer) for (const frame of frames) observer.event(frame.length);
      write(frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames));
    });
  }

  /** Runs what no request waits for any more: a fault must not end the process. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      options.onFault(error);
      cutOff();
    }
  }

  function bookmark(at: number, initialEnd: boolean): void {
    guarded(() => write(encoder.bookmark(at, initialEnd)));
  }

  const revision = feed.revision;
  const subscription = subscribe();

  const lifetime = clock.after(plan.lengthMs, () => {
    if (plan.bookmarks && !blocked) bookmark(feed.revision, false);
    end();
  });
  let bookmarks = plan.bookmarks ? clock.after(bookmarkIntervalMs, remind) : undefined;

  function remind(): void {
    if (ended) return;
    if (!blocked) bookmark(feed.revision, false);
    bookmarks = clock.after(bookmarkIntervalMs, remind);
  }

  if (plan.markInitialEnd && plan.bookmarks && !expired) {
    bookmark(revision, true);
    observer?.initialEnd(clock.monotonic() - options.askedAt);
  }
  signal.addEventListener('abort', end, { once: true });
  sink.on('close', () => {
    over = true;
    finish();
  });
  sink.on('error', finish);
  sink.on('drain', () => {
    blocked = false;
    backlog = 0;
    if (waiting.length > 0 && !over) blocked = !sink.write(Buffer.concat(waiting.splice(0)));
  });
  sink.start(encoder.contentType);
  started = true;
  if (waiting.length > 0) blocked = !sink.write(Buffer.concat(waiting.splice(0)));
  if (expired) end();
}
