import { backoffMs, type BackoffPolicy } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';

const policy: BackoffPolicy = { baseMs: 1000, maxMs: 900_000 };
/** A failure this long after the last one counts as the first. */
const forgottenMs = 2 * policy.maxMs;

/** Holds pods back that fail again and again: 1 s after the first failure, doubling to 15 min. */
export interface FailureBackoff {
  /** For how long `key` is still held back. */
  remainingMs(key: string): number;
  /** `key` failed once more. */
  failed(key: string): void;
}

export function createFailureBackoff(clock: Clock): FailureBackoff {
  const failures = new Map<string, { count: number; last: number }>();
  return {
    remainingMs(key) {
      const failure = failures.get(key);
      return failure ? Math.max(0, failure.last + backoffMs(policy, failure.count) - clock.monotonic()) : 0;
    },
    failed(key) {
      const now = clock.monotonic();
      for (const [other, { last }] of failures) if (now - last > forgottenMs) failures.delete(other);
      failures.set(key, { count: (failures.get(key)?.count ?? 0) + 1, last: now });
    },
  };
}
