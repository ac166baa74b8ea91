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
  readonly observer?: TokenCacheObserver;
}

/** Hears how answers are kept and asked for. Must not throw. */
export interface TokenCacheObserver {
  /** On a clock of its own, in milliseconds. */
  now(): number;
  /** A token was looked up, whose answer was known or had to be asked for. */
  lookedUp(status: 'hit' | 'miss', since: number): void;
  /** One more or fewer: question under way, or request that waits for another's. */
  waiting(status: 'in_flight' | 'blocked', change: 1 | -1): void;
  fetched(status: 'ok' | 'error'): void;
}

interface KeptAnswer {
  readonly until: number;
  readonly result: Promise<TokenResult>;
  isSettled: boolean;
}

const cacheMs = 2 * 60 * 1000;
const cacheLimit = 4096;

/** Asks a service about tokens that nobody else knows (`authentication.k8s.io/v1 TokenReview`); answers hold for two minutes. */
export function createTokenWebhook(options: TokenWebhookOptions): TokenAuthenticator {
  const { review, apiAudiences, clock, observer } = options;
  const answers = new Map<string, KeptAnswer>();

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

  async function known(answer: KeptAnswer): Promise<TokenResult> {
    if (answer.isSettled) return answer.result;
    observer?.waiting('blocked', 1);
    return answer.result.finally(() => observer?.waiting('blocked', -1));
  }

  /** Asks, and keeps the answer unless the service could not be asked. */
  async function fetched(key: string, token: string, audiences: readonly string[]): Promise<TokenResult> {
    observer?.waiting('in_flight', 1);
    const answer: KeptAnswer = {
      until: clock.monotonic() + cacheMs,
      result: ask(token, audiences),
      isSettled: false,
    };
    if (answers.size >= cacheLimit) answers.clear();
    answers.set(key, answer);
    try {
      const result = await answer.result;
      observer?.fetched('ok');
      return result;
    } catch (error) {
      answers.delete(key);
      observer?.fetched('error');
      throw error;
    } finally {
      answer.isSettled = true;
      observer?.waiting('in_flight', -1);
    }
  }

  return {
    async authenticate(token, audiences) {
      const since = observer?.now() ?? 0;
      const key = createHash('sha256')
        .update(JSON.stringify([token, audiences]))
        .digest('base64');
      const before = answers.get(key);
      const kept = before && before.until > clock.monotonic() ? before : undefined;
      try {
        return await (kept ? known(kept) : fetched(key, token, audiences));
      } catch (error) {
        return { error: error instanceof Error ? error.message : String(error) };
      } finally {
        observer?.lookedUp(kept ? 'hit' : 'miss', since);
      }
    },
  };
}
