import type { Clock } from '../../base/clock.ts';
import type { LevelObserver, Refusal, Seats } from './priority-level.ts';

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
  /** As of the last time when seats were lent and borrowed; absent before. */
  readonly adjusted?: LevelAdjustment;
}

/** What was found out about a level when seats were lent and borrowed. */
export interface LevelAdjustment {
  readonly average: number;
  readonly deviation: number;
  readonly smoothed: number;
  /** Seats that it should have; absent where nothing limits it. */
  readonly target?: number;
}

/** What the limiter knows of all levels. */
export interface FlowReading {
  readonly levels: readonly LevelReading[];
  /** The fraction of their targets that levels got last. */
  readonly fairFraction: number;
}

export type RequestKind = 'mutating' | 'readOnly';

/** Hears how requests of one kind go, whatever their flow schema. Must not throw. */
export interface KindObserver {
  queued(): void;
  left(): void;
  started(): void;
  ended(): void;
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
  /** A write asks to be served that so many watchers would hear of. */
  watched(watchers: number): void;
}

export interface FlowObserver {
  schema(name: string, level: string): SchemaObserver;
  level(name: string): LevelObserver;
  readonly kinds: Readonly<Record<RequestKind, KindObserver>>;
}

export interface ObservedEntry {
  readonly clock: Clock;
  readonly observer: SchemaObserver;
  readonly seats: number;
  readonly type: 'regular' | 'watch';
  readonly kind: KindObserver;
  /** Length of the queue that a request would join. */
  waiting(): number;
}

/** What `enter` gives, with its observer told of all that happens until the seats are given back. */
export function observedEntry(
  enter: () => Seats | Promise<Seats>,
  { clock, observer, seats, type, kind, waiting }: ObservedEntry,
): Seats | Promise<Seats> {
  const asked = clock.monotonic();
  const started = (held: Seats): Seats => {
    const at = clock.monotonic();
    observer.started(seats, at - asked);
    kind.started();
    let ended = false;
    return {
      release() {
        if (!ended) {
          observer.ended(seats, { type, ms: clock.monotonic() - at });
          kind.ended();
        }
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
  kind.queued();
  const left = (): void => {
    observer.left(seats);
    kind.left();
  };
  return entered.finally(left).then(started, refused);
}
