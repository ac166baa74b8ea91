import type { UserInfo } from '../resource.ts';
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  NonResourceRule,
  ResourceRule,
} from './v1.gen.ts';

/** What a user wants to do: to a resource, or to a path that is none. */
export interface AccessRequest {
  readonly user: UserInfo;
  readonly verb: string;
  readonly resource?: {
    readonly group: string;
    readonly version: string;
    readonly resource: string;
    /** Empty for the resource itself. */
    readonly subresource: string;
    /** Empty for cluster-scoped resources and for requests over all namespaces. */
    readonly namespace: string;
    /** Empty for lists and creations. */
    readonly name: string;
    readonly fieldSelector?: FieldSelectorAttributes;
    readonly labelSelector?: LabelSelectorAttributes;
  };
  readonly path?: string;
}

/** The verdict, with the words that a review shows. */
export interface Decision {
  readonly allowed: boolean;
  /** Refused outright, whatever others might say. */
  readonly denied?: boolean;
  readonly reason?: string;
  readonly evaluationError?: string;
}

/** What a user may do in a namespace, as far as it can be listed. */
export interface UserRules {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  readonly incomplete: boolean;
  readonly evaluationError?: string;
}

/** What the access reviews need of the server's authorizer. */
export interface AuthorizationOptions {
  readonly authorize: (request: AccessRequest) => Promise<Decision>;
  readonly rulesFor: (user: UserInfo, namespace: string) => Promise<UserRules>;
}
