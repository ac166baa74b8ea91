/** An exponential backoff: `baseMs`, then `factor` times more each time, at most `maxMs`. */
export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
}

/** Milliseconds to wait after failure number `failures` (the first is 1). */
export function backoffMs(policy: BackoffPolicy, failures: number): number {
  const exponent = Math.min(Math.max(0, failures - 1), 63);
  return Math.min(policy.maxMs, policy.baseMs * (policy.factor ?? 2) ** exponent);
}

/** Counts the failures of one activity. */
export interface Backoff {
  /** Counts a failure and returns the milliseconds to wait before the next attempt. */
  next(): number;
  /** Forgets all failures. */
  reset(): void;
}

/** A {@link Backoff} that follows `policy`. */
export function createBackoff(policy: BackoffPolicy): Backoff {
  let failures = 0;
  return {
    next: () => backoffMs(policy, ++failures),
    reset: () => void (failures = 0),
  };
}
