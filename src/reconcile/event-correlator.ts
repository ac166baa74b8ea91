import type { Clock } from '../base/clock.ts';
import { RecentMap } from '../base/recent-map.ts';
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
 * EventCorrelator. Remembers the 4,096 most recent series, and some more.
 */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #series = new RecentMap<string, Occurrence>(capacity);
  readonly #similar = new RecentMap<string, { messages: Set<string>; last: number }>(capacity);
  readonly #buckets = new RecentMap<string, { tokens: number; filled: number }>(capacity);

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
    this.#series.set(series, occurrence);
    return this.#allowed(subject, now) ? { series, occurrence } : undefined;
  }

  #tooManySimilar(kind: string, message: string, now: number): boolean {
    const known = this.#similar.get(kind);
    const current =
      known && now - known.last <= similarWindowMs ? known : { messages: new Set<string>(), last: now };
    current.last = now;
    current.messages.add(message);
    this.#similar.set(kind, current);
    if (current.messages.size < similarLimit) return false;
    for (const oldest of current.messages) return current.messages.delete(oldest);
    return true;
  }

  #allowed(subject: string, now: number): boolean {
    const bucket = this.#buckets.get(subject) ?? { tokens: burst, filled: now };
    const tokens = Math.min(burst, bucket.tokens + (now - bucket.filled) / refillMs);
    const allowed = tokens >= 1;
    this.#buckets.set(subject, { tokens: allowed ? tokens - 1 : tokens, filled: now });
    return allowed;
  }
}
