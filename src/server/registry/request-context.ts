import type { StrategyContext, UserInfo } from '../../api/resource.ts';
import type { Clock } from '../../base/clock.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import type { ApiRequest, Transport } from '../../machinery/transport.ts';
import type { Store } from '../../storage/kv.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { AdmissionChain } from '../admission/admission-chain.ts';
import type { StoreFeed } from '../watch/store-feed.ts';
import type { LargeObjects } from './give-way.ts';
import type { KeyLock } from './key-lock.ts';
import type { ServedResource } from './served-resource.ts';

/** What a client sent: bytes over HTTP, an object within the process. */
export type RequestBody =
  | { readonly type: 'bytes'; readonly bytes: Buffer; readonly mediaType: string }
  | {
      readonly type: 'object';
      readonly value: unknown;
      /** Keys that the text which it was parsed from repeats, in the words of strict decoding. */
      readonly duplicates?: readonly string[];
    };

/** One authenticated and authorised request about a resource. */
export interface RequestContext {
  readonly user: UserInfo;
  readonly request: ApiRequest;
  readonly body: RequestBody | undefined;
  /** The program that sends it, as `User-Agent` names it. */
  readonly userAgent?: string;
  /** Adds a `Warning` header; each text once. */
  warn(message: string): void;
  /** Adds an annotation to the request's audit event; of a key the first value counts. Absent where nothing is audited. */
  annotate?(key: string, value: string): void;
}

/** Hears how requests are answered. Must not throw. */
export interface RegistryObserver {
  /** A list: the objects that it looked at and those that it answers. */
  listed(resource: ServedResource, counts: { readonly looked: number; readonly returned: number }): void;
  /** A read waited so long until the cache had seen what it is to answer. */
  waited(resource: ServedResource, ms: number): void;
  /** A list of the newest state could be answered, or not. */
  readNewest(resource: ServedResource, outcome: 'success' | 'failure'): void;
  /** It was found out, on a short way or a long one, whether an update changes anything. */
  compared(path: ComparisonPath, ms: number): void;
}

/** How it was found out whether an update changes anything. */
export type ComparisonPath = 'unequalObjectsFast' | 'unequalObjectsSlow' | 'equalObjectsSlow';

/** What the handlers of requests share. */
export interface Registry {
  readonly store: Store;
  readonly feed: StoreFeed;
  readonly clock: Clock;
  readonly schema: SchemaTable;
  readonly admission: AdmissionChain;
  /** Asked where a request needs more than what its own verb allows. */
  readonly authorizer: Authorizer;
  readonly locks: KeyLock;
  readonly large: LargeObjects;
  readonly observer?: RegistryObserver;
  readonly features?: StrategyContext['features'];
  /** The server itself as `system:apiserver`. */
  readonly server: Transport;
}

/** What a definition's hooks see of a request. */
export function strategyContext(
  registry: Registry,
  context: RequestContext,
  dryRun: boolean,
): StrategyContext {
  const { namespace } = context.request;
  return {
    user: context.user,
    now: registry.clock.now(),
    ...(namespace === undefined ? {} : { namespace }),
    dryRun,
    ...(registry.features && { features: registry.features }),
    server: registry.server,
  };
}
