import type { FeatureGate } from './feature-gates.ts';
import type { FieldError } from '../machinery/field-error.ts';
import type { CustomForm } from './custom-form.ts';
import type { DeepMutable, KubeObject, Live, ResourceType } from '../machinery/object.ts';
import type { Transport } from '../machinery/transport.ts';

/** Who asks, as the authenticators established it (`authentication.k8s.io/v1 UserInfo`). */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a strategy may know about the request it serves. */
export interface StrategyContext {
  readonly user: UserInfo;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly namespace?: string;
  readonly dryRun: boolean;
  /** Feature gates that are on, beside those that are by default. */
  readonly features?: ReadonlySet<FeatureGate>;
  /** The server itself, as `system:apiserver`, for lookups and writes that belong to the request. */
  readonly server: Transport;
}

/** One column of `kubectl get`; the built-in definitions follow upstream's printers. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  /** 0 is always shown; 1 only with `-o wide`. */
  readonly priority?: number;
  readonly description?: string;
  /** The cell; `now` (milliseconds) is for ages. */
  cell(object: T, now: number): string | number | boolean | null;
}

/** Where `scale` finds its numbers, as dotted paths like those of a CRD's scale subresource. */
export interface ScaleMapping {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  /** An object without the number of replicas it should have cannot be scaled. */
  readonly requiresReplicas?: true;
  /** The text form of the selector. */
  selector(object: never): string;
}

/** What a URL of a `proxy` subresource says beside the object's name: `[SCHEME:]NAME[:PORT]/proxy/PATH`. */
export interface ProxyAddress {
  readonly scheme: 'http' | 'https';
  /** Name or number; empty when the URL has none. */
  readonly port: string;
  /** Begins with a slash. */
  readonly path: string;
}

/** A server that is no kubelet. */
export interface BackendAddress {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

/** A streaming or proxying subresource: the API server tunnels the connection to where the handler says. */
export interface ConnectTarget {
  /** The node whose kubelet endpoint serves it; empty when there is nothing to connect to yet: the answer is empty. */
  readonly nodeName: string;
  /** The server to connect to in place of a kubelet. */
  readonly backend?: BackendAddress;
  /** Path and query on that endpoint. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** A subresource that is neither `status` nor `scale`. */
export interface SubresourceDefinition<T> {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** Older versions of the body that are read as this one. */
  readonly olderVersions?: readonly string[];
  /** Verbs as discovery lists them. */
  readonly verbs: readonly ('create' | 'delete' | 'get' | 'patch' | 'update')[];
  /** Schema key of the request body; absent for connections. */
  readonly schema?: string;
  /** Fills defaults of the body. */
  defaults?(body: DeepMutable<KubeObject>): void;
  /** Serves POST (`binding`, `eviction`, `token`); returns the answer. Throws `StatusError`. */
  create?(parent: Live<T>, body: DeepMutable<KubeObject>, context: StrategyContext): Promise<unknown>;
  /**
   * Serves POST that changes the parent itself (`binding`): the server stores what this leaves, under optimistic locking
   * and without the parent's own validation, and answers `Success`. Throws `StatusError`.
   */
  modify?(parent: DeepMutable<T>, body: DeepMutable<KubeObject>, context: StrategyContext): void;
  /** For streams: where to. Throws `StatusError` for a bad request (unknown container, pod not assigned). */
  connect?(parent: Live<T>, query: URLSearchParams, context: StrategyContext): Promise<ConnectTarget>;
  /** For `proxy`: where to. Throws `StatusError`. */
  proxy?(parent: Live<T>, address: ProxyAddress, context: StrategyContext): Promise<ConnectTarget>;
  /** For `get`/`update`/`patch` of a part of the object (`ephemeralcontainers`, `resize`): keeps all but that part. */
  merge?(next: DeepMutable<T>, old: Live<T>, context: StrategyContext): void;
  /** Dotted paths of the only fields that are owned through it, `*` for any element. Default: all. */
  readonly owns?: readonly string[];
  /** Dotted paths of what nobody owns through it because it is set back. */
  readonly resets?: readonly string[];
  /** Validation of such a part's update. */
  validateUpdate?(next: T, old: Live<T>): FieldError[];
}

/** Reads one field as text, empty when it is unset. A method, so that a definition of any kind is an {@link AnyResource}. */
interface SelectableField<T> {
  read(object: T): string;
}

/** How one version of a resource is written on the wire. */
export interface ResourceVersion<T> {
  readonly type: ResourceType<T>;
  /** Key into the schema table: `io.k8s.api.apps.v1.Deployment`. */
  readonly schema: string;
  /** The `Warning` of every answer about this version, reads included. */
  readonly deprecated?: string;
  /** Of requests in this version, when it differs from the definition's. */
  readonly defaultPropagation?: 'background' | 'orphan';
  /** Sets the defaults that upstream's code sets, in place, on a freshly decoded object; idempotent. */
  defaults?(object: DeepMutable<T>): void;
  /** Converts to the stored version; absent when this is it. */
  toStorage?(object: DeepMutable<T>): DeepMutable<KubeObject>;
  fromStorage?(object: DeepMutable<KubeObject>): DeepMutable<T>;
  /** What requests in this version must meet beyond the definition's own validation, on the stored form. */
  validate?(object: T): FieldError[];
  validateUpdate?(next: T, old: Live<T>): FieldError[];
  /** Of a custom resource. */
  readonly custom?: CustomForm;
}

/**
 * Everything the server needs to know of one resource, in one place: upstream's strategy, validation and printer of the kind.
 *
 * Hooks work on an object that only they hold. `validate…` return every error, in upstream's order and wording.
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  readonly storage: string;
  /** The version in which upstream stores it, where that is another; discovery shows a digest of it. */
  readonly upstreamStorage?: string;
  readonly versions: Readonly<Record<string, ResourceVersion<T>>>;
  /** `update` and `create on update` behave as upstream's `AllowCreateOnUpdate`. */
  readonly createOnUpdate?: boolean;
  /** Upstream's `AllowUnconditionalUpdate`: an update without a resourceVersion overwrites. Default true. */
  readonly unconditionalUpdate?: boolean;
  /** `deletecollection` is not served (namespaces). */
  readonly withoutDeleteCollection?: true;
  /** Bytes and names: how `metadata.name` is checked. Default: DNS subdomain. */
  validateName?(name: string, options: { readonly prefix: boolean }): string[];
  /** Whether finalizers without a domain must be upstream's own. Default true. */
  readonly qualifiedFinalizers?: boolean;
  /** Name made from `generateName` may be up to 63 characters; default is the same rule as upstream's names.SimpleNameGenerator. */
  readonly status?: {
    /**
     * Keeps everything but status (and what upstream allows) from `old`. Default: status is taken from `next`, and metadata unless
     * {@link resets} has it.
     */
    prepare?(next: DeepMutable<T>, old: Live<T>, context: StrategyContext): void;
    validate?(next: T, old: Live<T>): FieldError[];
    /** Dotted paths of what nobody owns through `status` because it is set back (`GetResetFields`). Default: `spec`. */
    readonly resets?: readonly string[];
  };
  /** Dotted paths of what nobody owns through the object itself because it is set back. Default: `status` where there is one. */
  readonly resets?: readonly string[];
  readonly scale?: ScaleMapping;
  readonly subresources?: Readonly<Record<string, SubresourceDefinition<T>>>;
  /** Whether `metadata.generation` starts at 1 and grows when `spec` (or what {@link generationChanged} says) changes. */
  readonly generation?: boolean;
  generationChanged?(next: T, old: Live<T>): boolean;
  /** Clears what clients may not set (status), fills what the server decides. Runs after defaulting and before admission. */
  prepareForCreate?(object: DeepMutable<T>, context: StrategyContext): void;
  prepareForUpdate?(next: DeepMutable<T>, old: Live<T>, context: StrategyContext): void;
  validate?(object: T): FieldError[];
  validateUpdate?(next: T, old: Live<T>): FieldError[];
  /** Adds what rules find to the errors of `validate…`; they may take long. */
  validateRules?(own: FieldError[], next: T, old?: Live<T>): FieldError[] | Promise<FieldError[]>;
  /** Upstream's warnings for the `Warning` header. */
  warnings?(object: T, old?: Live<T>): string[];
  /** Takes what must be unique over the cluster (service addresses, node ports) before validation; undone when the write fails. */
  allocate?(
    object: DeepMutable<T>,
    old: Live<T> | undefined,
    context: StrategyContext,
  ): Promise<Allocation | undefined>;
  /** Gives allocations of a deleted object back; `server` is the server itself, as in {@link StrategyContext}. */
  release?(object: Live<T>, server: Transport): void | Promise<void>;
  /** Called once with all stored objects before the first request, to rebuild allocations. */
  restore?(objects: readonly Live<T>[]): void;
  /** Graceful deletion: how long, in seconds, and what to change on the object that lingers. Absent: deleted at once. */
  gracefulDelete?(
    object: DeepMutable<T>,
    requestedSeconds: number | undefined,
    context: StrategyContext,
  ): number;
  /**
   * Kinds with a deletion of their own (custom resource definitions): changes the object when it is marked for deletion, which
   * answers the request. What it leaves must hold the object back.
   */
  markDeleted?(object: DeepMutable<T>, context: StrategyContext): void;
  /** Upstream's `ReturnDeletedObject`: a completed deletion is answered with the object rather than with a Status. */
  readonly returnsDeleted?: true;
  /** Upstream's `DefaultGarbageCollectionPolicy`. Default `background`. */
  readonly defaultPropagation?: 'background' | 'orphan';
  /** The `Warning` to whoever deletes without saying what becomes of dependents, where they are left behind. */
  readonly orphanWarning?: string;
  /** Finalizers that live in `spec` (namespaces) rather than in metadata: whether any is left. */
  hasSpecFinalizers?(object: T): boolean;
  /** Milliseconds after which a created object expires (events). */
  readonly ttlMs?: number;
  /** Beside `metadata.name` and `metadata.namespace`. */
  readonly selectableFields?: Readonly<Record<string, SelectableField<T>['read']>>;
  /** What a selector of another field is refused with; `field label not supported: x` by default. */
  unselectableField?(field: string): string;
  readonly columns?: readonly Column<T>[];
  /** Annotations that stand for fields of upstream's internal form: tables and lists of metadata alone do not have them. */
  readonly hiddenAnnotations?: readonly string[];
  /** Upstream's path in etcd, which its messages name, where it is not the plural name. */
  readonly storagePath?: string;
  /** Objects that are made for every request and never stored (`ComponentStatus`): only `get` and `list` are served. */
  compute?(): readonly T[];
  /** Verbs that are not served, for resources that are only created (`TokenReview`, `SubjectAccessReview`): the answer is made, nothing is stored. */
  review?(object: DeepMutable<T>, context: StrategyContext): Promise<KubeObject>;
}

/** What was taken for a write that is not committed yet. */
export interface Allocation {
  /** Keeps it: the write is durable. */
  commit(): void | Promise<void>;
  /** Gives it back: the write failed or was a dry run. */
  rollback(): void | Promise<void>;
}

/** Declares a resource. The definition is returned as it is, with its object type checked. */
export function defineResource<T extends KubeObject>(
  definition: ResourceDefinition<T>,
): ResourceDefinition<T> {
  return definition;
}

/** A definition whose object type is not of interest to the holder. */
export type AnyResource = ResourceDefinition;

/** The names of a definition's stored version. */
export function storedType<T extends KubeObject>(definition: ResourceDefinition<T>): ResourceType<T> {
  const version = definition.versions[definition.storage];
  if (!version) throw new Error(`resource has no version ${definition.storage}`);
  return version.type;
}
