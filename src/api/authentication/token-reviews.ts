import { timestamp } from '../../base/clock.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';
import { type AnyResource, defineResource, type ResourceDefinition, type UserInfo } from '../resource.ts';
import {
  type SelfSubjectReview,
  selfsubjectreviews,
  type TokenReview,
  type TokenReviewSpec,
  tokenreviews,
} from './v1.gen.ts';

/** What is known of a bearer token. */
export interface TokenVerdict {
  /** Absent when nobody knows the token. */
  readonly user?: UserInfo;
  /** Those of the wanted audiences that the token is good for. */
  readonly audiences?: readonly string[];
  readonly error?: string;
}

/** What the reviews of identities need of the server's authenticators. */
export interface AuthenticationOptions {
  /** `audiences` is empty when the review names none: the server's own are meant. */
  readonly authenticateToken: (token: string, audiences: readonly string[]) => Promise<TokenVerdict>;
}

/** The questions "whose token is this?" and "who am I?". Nothing of them is stored. */
export function identityReviews(options: AuthenticationOptions): AnyResource[] {
  return [tokenReviews(options), selfSubjectReviews];
}

function tokenReviews({ authenticateToken }: AuthenticationOptions): ResourceDefinition<TokenReview> {
  return defineResource<TokenReview>({
    storage: 'v1',
    versions: { v1: { type: tokenreviews, schema: 'io.k8s.api.authentication.v1.TokenReview' } },
    async review(object: KubeObject) {
      const { token = '', audiences = [] }: TokenReviewSpec = (object as TokenReview).spec ?? {};
      if (token === '') throw newBadRequest('token is required for TokenReview in authentication');
      const { user, audiences: accepted = [], error } = await authenticateToken(token, audiences);
      const status = {
        ...(user ? { authenticated: true } : {}),
        user: user ? userInfo(user) : {},
        ...(user && accepted.length > 0 ? { audiences: accepted } : {}),
        ...(error === undefined ? {} : { error }),
      };
      return { ...object, status };
    },
  });
}

const selfSubjectReviews: ResourceDefinition<SelfSubjectReview> = defineResource<SelfSubjectReview>({
  storage: 'v1',
  versions: { v1: { type: selfsubjectreviews, schema: 'io.k8s.api.authentication.v1.SelfSubjectReview' } },
  async review(object: KubeObject, { user, now }) {
    const metadata = { ...object.metadata, creationTimestamp: timestamp(now) };
    return { ...object, metadata, status: { userInfo: userInfo(user) } };
  },
});

function userInfo({ name, uid, groups, extra }: UserInfo): object {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  };
}
