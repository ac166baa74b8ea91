import { createHash } from 'node:crypto';
import type { TokenReview } from '../../api/authentication/v1.gen.ts';
import type { UserInfo } from '../../api/resource.ts';
import type { Clock } from '../../base/clock.ts';
import type { TokenAuthenticator, TokenResult } from './token-authenticator.ts';

export interface TokenWebhookOptions {
  /** Sends a review to the service and resolves to its answer. Rejects when the service cannot be asked. */
  review(review: TokenReview): Promise<TokenReview>;
  readonly apiAudiences: readonly string[];
  readonly clock: Clock;
}

const cacheMs = 2 * 60 * 1000;
const cacheLimit = 4096;

/** Asks a service about tokens that nobody else knows (`authentication.k8s.io/v1 TokenReview`); answers hold for two minutes. */
export function createTokenWebhook({ review, apiAudiences, clock }: TokenWebhookOptions): TokenAuthenticator {
  const answers = new Map<string, { readonly until: number; readonly result: Promise<TokenResult> }>();

  async function ask(token: string, audiences: readonly string[]): Promise<TokenResult> {
    const answer = await review({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token, audiences },
    });
    const { authenticated, user, error = '', audiences: accepted = [] } = answer.status ?? {};
    if (!authenticated || !user?.username) return { error: error || 'invalid bearer token' };
    const shared =
      accepted.length > 0
        ? audiences.filter((audience) => accepted.includes(audience))
        : audiences.filter((audience) => apiAudiences.includes(audience));
    if (shared.length === 0) return { error: 'token audiences are invalid for the target audiences' };
    const { username, uid, groups = [], extra } = user;
    const found: UserInfo = {
      name: username,
      groups: groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'],
      ...(uid ? { uid } : {}),
      ...(extra ? { extra: extra as object as Readonly<Record<string, readonly string[]>> } : {}),
    };
    return { user: found, audiences: shared };
  }

  return {
    async authenticate(token, audiences) {
      const key = createHash('sha256')
        .update(JSON.stringify([token, audiences]))
        .digest('base64');
      const known = answers.get(key);
      const now = clock.monotonic();
      if (known && known.until > now) return known.result;
      const result = ask(token, audiences);
      if (answers.size >= cacheLimit) answers.clear();
      answers.set(key, { until: now + cacheMs, result });
      try {
        return await result;
      } catch (error) {
        answers.delete(key);
        return { error: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}
