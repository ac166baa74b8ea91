import type { Clock } from '../../base/clock.ts';
import type { Refusal, Seats } from './priority-level.ts';

/** The seats of one priority level. */
export interface LevelReading {
  readonly name: string;
  readonly nominal: number;
  readonly lower: number;
  readonly upper: number;
  /** With what is borrowed and lent. */
  readonly current: number;
  /** The most that were asked for at once lately. */
  readonly demand: number;
}

/** Hears how requests of one flow schema go. Must not throw. */
export interface SchemaObserver {
  /** A request waits, in a queue that is now so long. */
  queued(seats: number, queueLength: number): void;
  /** It waits no more. */
  left(seats: number): void;
  started(seats: number, waitedMs: number): void;
  ended(seats: number, served: { readonly type: 'regular' | 'watch'; readonly ms: number }): void;
  refused(reason: Refusal, waitedMs: number): void;
}

export interface FlowObserver {
  schema(name: string, level: string): SchemaObserver;
}

export interface ObservedEntry {
  readonly clock: Clock;
  readonly observer: SchemaObserver;
  readonly seats: number;
  readonly type: 'regular' | 'watch';
  /** Length of the queue that a request would join. */
  waiting(): number;
}

/** What `enter` gives, with its observer told of all that happens until the seats are given back. */
export function observedEntry(
  enter: () => Seats | Promise<Seats>,
  { clock, observer, seats, type, waiting }: ObservedEntry,
): Seats | Promise<Seats> {
  const asked = clock.monotonic();
  const started = (held: Seats): Seats => {
    const at = clock.monotonic();
    observer.started(seats, at - asked);
    let ended = false;
    return {
      release() {
        if (!ended) observer.ended(seats, { type, ms: clock.monotonic() - at });
        ended = true;
        held.release();
      },
    };
  };
  const refused = (error: unknown): never => {
    if (error instanceof Error) observer.refused(error.cause as Refusal, clock.monotonic() - asked);
    throw error;
  };
  let entered: Seats | Promise<Seats>;
  try {
    entered = enter();
  } catch (error) {
    return refused(error);
  }
  if (!(entered instanceof Promise)) return started(entered);
  observer.queued(seats, waiting());
  return entered.finally(() => observer.left(seats)).then(started, refused);
}
