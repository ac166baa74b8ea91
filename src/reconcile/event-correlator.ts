import type { Clock } from '../base/clock.ts';
import type { KubeObject } from '../machinery/object.ts';

/** What somebody reported. */
export interface Report {
  readonly about: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly source: { readonly component: string; readonly host?: string };
}

/** A report together with those that it repeats. Times are milliseconds since the epoch. */
export interface Occurrence extends Report {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

const similarLimit = 10;
const similarWindowMs = 600_000;
const burst = 25;
const refillMs = 300_000;
const capacity = 4096;

/**
 * Counts repeats, folds many similar messages into one and drops floods, with the rules and numbers of client-go's
 * EventCorrelator. Remembers the 4,096 most recent series.
 */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #series = new Map<string, Occurrence>();
  readonly #similar = new Map<string, { messages: Set<string>; last: number }>();
  readonly #buckets = new Map<string, { tokens: number; filled: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The occurrence to write and the series it belongs to; nothing when its object's events come too fast. */
  correlate(report: Report): { readonly series: string; readonly occurrence: Occurrence } | undefined {
    const now = this.#clock.now();
    const { about, type, reason, source } = report;
    const { namespace, name, uid } = about.metadata;
    const subject = [source.component, source.host, about.kind, about.apiVersion, namespace, name, uid].join(
      '\n',
    );
    const kind = [subject, type, reason].join('\n');
    const combined = this.#tooManySimilar(kind, report.message, now);
    const message = combined ? `(combined from similar events): ${report.message}` : report.message;
    const series = combined ? kind : `${kind}\n${message}`;
    const previous = this.#series.get(series);
    const occurrence = {
      ...report,
      message,
      count: (previous?.count ?? 0) + 1,
      first: previous?.first ?? now,
      last: now,
    };
    keep(this.#series, series, occurrence);
    return this.#allowed(subject, now) ? { series, occurrence } : undefined;
  }

  #tooManySimilar(kind: string, message: string, now: number): boolean {
    const known = this.#similar.get(kind);
    const current =
      known && now - known.last <= similarWindowMs ? known : { messages: new Set<string>(), last: now };
    current.last = now;
    current.messages.add(message);
    keep(this.#similar, kind, current);
    if (current.messages.size < similarLimit) return false;
    for (const oldest of current.messages) return current.messages.delete(oldest);
    return true;
  }

  #allowed(subject: string, now: number): boolean {
    const bucket = this.#buckets.get(subject) ?? { tokens: burst, filled: now };
    const tokens = Math.min(burst, bucket.tokens + (now - bucket.filled) / refillMs);
    const allowed = tokens >= 1;
    keep(this.#buckets, subject, { tokens: allowed ? tokens - 1 : tokens, filled: now });
    return allowed;
  }
}

/** Holds an entry as the most recent one and drops the oldest beyond the capacity. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= capacity) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
