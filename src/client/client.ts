import type { KubeObject, Live, ObjectList, ResourceType } from '../machinery/object.ts';
import type { PatchType, Transport } from '../machinery/transport.ts';

/** Which object: `namespace` is required for namespaced resources. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Live<T>;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** What may be sent to create an object: its type, complete but for what the server fills in. */
export type Draft<T> = T & { readonly metadata: KubeObject['metadata'] };

/** Reads and writes one resource type. Every method throws `StatusError`; results are read-only and shared. */
export interface ResourceClient<T extends KubeObject> {
  readonly type: ResourceType<T>;
  get(ref: ObjectRef, options?: { readonly signal?: AbortSignal }): Promise<Live<T>>;
  list(options?: ListOptions): Promise<ObjectList<T>>;
  /** Events from `resourceVersion` on; ends when the server ends the watch. An `ERROR` event is thrown as `StatusError`. */
  watch(options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create(object: Draft<T>, options?: WriteOptions): Promise<Live<T>>;
  update(object: T, options?: WriteOptions): Promise<Live<T>>;
  updateStatus(object: T, options?: WriteOptions): Promise<Live<T>>;
  patch(
    ref: ObjectRef,
    patch: unknown,
    options: WriteOptions & { readonly type: PatchType; readonly subresource?: string },
  ): Promise<Live<T>>;
  /** Resolves to the object that lingers (finalizers, grace period) or the `Status` of a completed deletion. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<unknown>;
  deleteCollection(list: ListOptions, options?: DeleteOptions): Promise<unknown>;
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  createSubresource<R = unknown>(ref: ObjectRef, subresource: string, body: unknown): Promise<R>;
}

/** The one client of everything above the server. */
export interface Client {
  for<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T>;
  readonly transport: Transport;
}
