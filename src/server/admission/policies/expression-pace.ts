import { sleep, type Clock } from '../../../base/clock.ts';
import { newTooManyRequests } from '../../../machinery/status/errors.ts';
import type { EvaluateRemotely, RemoteExpression, RemoteOutcome, RemoteValues } from './remote-expression.ts';

/** What an expression must cost for others to notice; those that people write cost less than a hundredth of it. */
const noticeable = 50_000;
/** Of the time while there are many others, such an expression takes one part in so many. */
const parts = 150;
const longestPauseMs = 10_000;
/** Evaluations that may wait; who asks for more is told to come again. */
const mostWaiting = 16;

/** When one expression may be evaluated, and where. */
export interface ExpressionPace {
  /** Evaluates the expression in another thread; undefined while few others ask for anything, and when only this thread can. */
  elsewhere(): ((values: RemoteValues) => Promise<RemoteOutcome>) | undefined;
  /** To be awaited before an evaluation; undefined: go on. Rejects with 429 when too many wait. */
  turn(): Promise<void> | undefined;
  /** Notes what an evaluation cost that began with its turn. */
  ended(cost: number): void;
}

/** A pace for one more expression, which other threads may evaluate when it is given. */
export type NewPace = (remote?: RemoteExpression) => ExpressionPace;

export interface PaceOptions {
  readonly clock: Clock;
  /** Whether there are many requests of others. */
  isBusy(): boolean;
  /** Absent: there is no other thread. */
  readonly elsewhere?: EvaluateRemotely | undefined;
}

/**
 * Expressions are evaluated in one go on the thread that serves everybody. While others are busy, what turns out to cost much goes on in
 * another thread. Where that cannot be, there is a pause between two evaluations of an expression that costs much, in proportion to
 * the time it took, so that few of the others wait for one.
 */
export function expressionPaces({ clock, isBusy, elsewhere }: PaceOptions): NewPace {
  return (remote) => {
    let began = 0;
    let freeAt = -Infinity;
    let waiting = 0;
    const early = (): number => (isBusy() ? freeAt - clock.monotonic() : 0);

    async function wait(): Promise<void> {
      waiting += 1;
      try {
        for (let left = early(); left > 0; left = early()) await sleep(clock, left);
      } finally {
        waiting -= 1;
      }
      began = clock.monotonic();
    }

    return {
      elsewhere: () => (remote && elsewhere && isBusy() ? (values) => elsewhere(remote, values) : undefined),
      turn() {
        if (early() > 0) {
          if (waiting < mostWaiting) return wait();
          const message = 'too many requests wait for an expression of an admission policy that takes long';
          return Promise.reject(newTooManyRequests(message, { retryAfterSeconds: 1 }));
        }
        began = clock.monotonic();
        return undefined;
      },
      ended(cost) {
        if (cost < noticeable) return;
        const now = clock.monotonic();
        freeAt = now + Math.min((now - began) * parts, longestPauseMs);
      },
    };
  };
}
