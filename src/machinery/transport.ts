import type { KubeObject } from './object.ts';

export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  /** Of methods that have none of these (OPTIONS); only what is proxied is asked for so. */
  | '';

/** The media types of a patch body. */
export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml';

/** One request about one resource: what a URL, a method and a body say, taken apart. */
export interface ApiRequest {
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  /** Plural name, as in URLs. */
  readonly resource: string;
  readonly subresource?: string;
  /** Absent for cluster-scoped resources and for lists over all namespaces. */
  readonly namespace?: string;
  readonly name?: string;
  /** Query parameters by their URL names: `labelSelector`, `limit`, `dryRun`, `fieldManager`, `propagationPolicy` … */
  readonly params?: Readonly<Record<string, string>>;
  /** The object to write, `DeleteOptions` of a delete, or the patch. Never kept or changed by the receiver. */
  readonly body?: unknown;
  readonly patchType?: PatchType;
  /** Media types wanted of the answer, as in `Accept` (a `Table`). Only over HTTPS; within a process objects are answered. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** One event of a watch. `ERROR` carries a `metav1.Status`, after which the watch ends. */
export interface TransportEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

/**
 * How a client reaches an API server: by function call in one process, or over HTTPS.
 *
 * Both carry an identity fixed when the transport was made and run through authorisation, admission, defaulting and
 * validation alike. Objects returned are read-only and may be shared with others.
 */
export interface Transport {
  /** Resolves to the object, list or `Status` answered. Throws `StatusError`. */
  request(request: ApiRequest): Promise<unknown>;
  /** Events until the caller stops iterating, the signal aborts, or the server ends the watch. */
  watch(request: ApiRequest): AsyncIterable<TransportEvent>;
  /** GET of a path that is no resource (`/version`, `/apis`, `/openapi/v2`): the body, parsed when it is JSON. */
  raw(path: string, signal?: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}
