import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';

/** Hears of changes after the cache holds them. Objects are shared and read-only. */
export interface InformerHandler<T> {
  onAdd?(object: Live<T>, info: { readonly initial: boolean }): void;
  onUpdate?(next: Live<T>, previous: Live<T>): void;
  onDelete?(object: Live<T>): void;
}

/** A watched cache of one resource type, kept by list and watch (client-go's reflector and indexer). */
export interface Informer<T> {
  readonly type: ResourceType<T>;
  /** Resolves when the first list is in the cache. */
  synced(): Promise<void>;
  readonly hasSynced: boolean;
  /** The version up to which the cache has seen every change; empty before the first list. */
  readonly resourceVersion: string;
  get(namespace: string | undefined, name: string): Live<T> | undefined;
  /** All objects, or those of one namespace, in no particular order. */
  list(namespace?: string): readonly Live<T>[];
  /** Adds an index before the informer starts; `byIndex` answers from it. */
  addIndex(name: string, keysOf: (object: Live<T>) => readonly string[]): void;
  byIndex(name: string, key: string): readonly Live<T>[];
  /** The keys of an index that any object has. */
  indexKeys(name: string): Iterable<string>;
  addHandler(handler: InformerHandler<T>): { close(): void };
}

/** One informer per resource type, shared by all controllers of a process. */
export interface InformerFactory {
  for<T extends KubeObject>(type: ResourceType<T>): Informer<T>;
  /** Starts what was asked for since the last call; idempotent. */
  start(): void;
  /** Resolves when all started informers are synced. */
  synced(): Promise<void>;
  stop(): Promise<void>;
}
