import type { UserInfo } from '../../api/resource.ts';

/** What is asked to be done: a verb on a resource, or on a path that is no resource (`authorization.k8s.io/v1`). */
export type Attributes = ResourceAttributes | PathAttributes;

export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly version?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Of lists, watches and deletions of collections, as the request has them. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface PathAttributes {
  readonly verb: string;
  /** URL path: `/healthz`. */
  readonly path: string;
}

/** An authorizer either allows, with a reason for the audit, or has no opinion. */
export type Decision =
  | {
      readonly allowed: true;
      readonly reason: string;
      /** Which authorizer allows it; RBAC by default. */
      readonly by?: 'node';
    }
  | { readonly allowed: false; readonly reason: string };

/** Decides whether a user may do something. */
export interface Authorizer {
  authorize(user: UserInfo, attributes: Attributes): Decision;
}
