import type { Clock } from '../base/clock.ts';
import type { Client, ResourceClient } from '../client/client.ts';
import { apiVersionOf, type KubeObject, type Live, type ResourceType } from '../machinery/object.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { Informer, InformerFactory, InformerHandler } from './informer.ts';
import { ObjectCache } from './object-cache.ts';
import { reflect, type ObjectEvent } from './reflector.ts';

export interface InformersOptions {
  readonly clock: Clock;
  /** Freezes every object before the cache holds it, so that a mutation throws. For tests. */
  readonly freeze?: boolean;
  /** Hears of failed lists and watches, which are retried. */
  onError?(type: ResourceType<KubeObject>, error: unknown): void;
}

/** A factory whose informers list and watch through `client`. */
export function createInformers(client: Client, options: InformersOptions): InformerFactory {
  const informers = new Map<string, CachingInformer<KubeObject>>();
  return {
    for<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
      const key = `${type.resource}.${apiVersionOf(type)}`;
      let informer = informers.get(key);
      if (!informer) {
        informer = new CachingInformer<KubeObject>(client.for<KubeObject>(type), options);
        informers.set(key, informer);
      }
      return informer as Informer<KubeObject> as Informer<T>;
    },
    start: () => {
      for (const informer of informers.values()) informer.start();
    },
    synced: async () => {
      await Promise.all([...informers.values()].filter((one) => one.started).map((one) => one.synced()));
    },
    stop: async () => {
      await Promise.all([...informers.values()].map((informer) => informer.stop()));
    },
  };
}

class CachingInformer<T extends KubeObject> implements Informer<T> {
  readonly #resource: ResourceClient<T>;
  readonly #options: InformersOptions;
  readonly #cache = new ObjectCache<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #stopping = new AbortController();
  readonly #firstList: Promise<void>;
  #markSynced = (): void => {};
  #hasSynced = false;
  #version = '';
  #running: Promise<void> | undefined;

  constructor(resource: ResourceClient<T>, options: InformersOptions) {
    this.#resource = resource;
    this.#options = options;
    this.#firstList = new Promise((resolve) => (this.#markSynced = resolve));
  }

  get type(): ResourceType<T> {
    return this.#resource.type;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get resourceVersion(): string {
    return this.#version;
  }

  get started(): boolean {
    return this.#running !== undefined;
  }

  synced(): Promise<void> {
    return this.#firstList;
  }

  start(): void {
    this.#running ??= reflect({
      resource: this.#resource,
      clock: this.#options.clock,
      signal: this.#stopping.signal,
      replace: (objects, resourceVersion) => this.#replace(objects, resourceVersion),
      apply: (event) => this.#apply(event),
      advance: (resourceVersion) => {
        this.#version = resourceVersion;
      },
      onError: (error) => this.#options.onError?.(this.type as ResourceType<KubeObject>, error),
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  get(namespace: string | undefined, name: string): Live<T> | undefined {
    return this.#cache.get(namespace, name);
  }

  list(namespace?: string): readonly Live<T>[] {
    return this.#cache.list(namespace);
  }

  addIndex(name: string, keysOf: (object: Live<T>) => readonly string[]): void {
    this.#cache.addIndex(name, keysOf);
  }

  byIndex(name: string, key: string): readonly Live<T>[] {
    return this.#cache.byIndex(name, key);
  }

  indexKeys(name: string): Iterable<string> {
    return this.#cache.indexKeys(name);
  }

  /** A handler that comes late hears of what the cache holds as initial additions. */
  addHandler(handler: InformerHandler<T>): { close(): void } {
    this.#handlers.add(handler);
    for (const object of this.#cache.list()) handler.onAdd?.(object, { initial: true });
    return { close: () => void this.#handlers.delete(handler) };
  }

  #replace(objects: readonly Live<T>[], resourceVersion: string): void {
    this.#version = resourceVersion;
    const listed = new Set(objects.map((object) => object.metadata.uid));
    for (const object of this.#cache.list()) if (!listed.has(object.metadata.uid)) this.#remove(object);
    for (const object of objects) this.#set(object, { initial: !this.#hasSynced });
    this.#hasSynced = true;
    this.#markSynced();
  }

  #apply(event: ObjectEvent<T>): void {
    this.#version = event.object.metadata.resourceVersion;
    if (event.type === 'DELETED') this.#remove(event.object);
    else this.#set(event.object, { initial: false });
  }

  /** A name that was deleted and taken again while nobody watched is a deletion and an addition. */
  #set(received: Live<T>, info: { readonly initial: boolean }): void {
    const object = this.#options.freeze ? deepFreeze(received) : received;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const held = this.#cache.get(namespace, name);
    if (held && held.metadata.uid !== uid) this.#remove(held);
    const previous = this.#cache.set(object);
    if (previous?.metadata.resourceVersion === resourceVersion) return;
    for (const handler of this.#handlers) {
      if (previous) handler.onUpdate?.(object, previous);
      else handler.onAdd?.(object, info);
    }
  }

  #remove(object: Live<T>): void {
    const removed = this.#cache.delete(object.metadata.namespace, object.metadata.name);
    if (!removed) return;
    for (const handler of this.#handlers) handler.onDelete?.(object);
  }
}
