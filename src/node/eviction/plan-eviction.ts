import {
  evictionSignals,
  pressureOf,
  quantityOf,
  type EvictionSignal,
  type EvictionThreshold,
} from './eviction-threshold.ts';

/** How much there is of what a signal is about, and how much of it is free. */
export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

export type Observations = Readonly<Partial<Record<EvictionSignal, Observation>>>;

export type Pressure = ReturnType<typeof pressureOf>;

/** What is remembered from one look to the next; times in milliseconds of a monotonic clock. */
export interface EvictionState {
  /** Thresholds met with their grace period over. */
  readonly met: readonly EvictionThreshold[];
  readonly firstMetAt: ReadonlyMap<EvictionThreshold, number>;
  readonly lastSeenAt: ReadonlyMap<Pressure, number>;
}

export const noEviction: EvictionState = { met: [], firstMetAt: new Map(), lastSeenAt: new Map() };

export interface EvictionInput {
  readonly now: number;
  readonly thresholds: readonly EvictionThreshold[];
  readonly observations: Observations;
  readonly state: EvictionState;
  readonly pressureTransitionMs: number;
}

export interface EvictionPlan {
  /** Conditions that hold, in a fixed order. */
  readonly pressure: readonly Pressure[];
  /** For which something must be freed, the most urgent first. */
  readonly thresholds: readonly EvictionThreshold[];
  readonly state: EvictionState;
}

/** Decides which thresholds count now and which conditions hold (the first half of the kubelet's eviction manager). */
export function planEviction(input: EvictionInput): EvictionPlan {
  const { now, observations, state } = input;
  const reached = input.thresholds.filter((one) => isMet(one, observations[one.signal], 'threshold'));
  const unresolved = state.met.filter((one) => isMet(one, observations[one.signal], 'reclaim'));
  const met = [...new Set([...reached, ...unresolved])];
  const firstMetAt = new Map(met.map((one) => [one, state.firstMetAt.get(one) ?? now]));
  const lastSeenAt = new Map(state.lastSeenAt);
  for (const { signal } of met) lastSeenAt.set(pressureOf(signal), now);
  for (const [pressure, at] of lastSeenAt)
    if (now - at >= input.pressureTransitionMs && at !== now) lastSeenAt.delete(pressure);
  const due = met.filter((one) => now - (firstMetAt.get(one) ?? now) >= one.graceMs).sort(byUrgency);
  const order: readonly Pressure[] = ['MemoryPressure', 'DiskPressure', 'PIDPressure'];
  return {
    pressure: order.filter((pressure) => lastSeenAt.has(pressure)),
    thresholds: due,
    state: { met: due, firstMetAt, lastSeenAt },
  };
}

function isMet(
  { at, minReclaim }: EvictionThreshold,
  seen: Observation | undefined,
  until: 'threshold' | 'reclaim',
): boolean {
  if (!seen) return false;
  const more = until === 'reclaim' && minReclaim ? quantityOf(minReclaim, seen.capacity) : 0;
  return seen.available < quantityOf(at, seen.capacity) + more;
}

/** Memory first: it runs out fastest. */
function byUrgency(a: EvictionThreshold, b: EvictionThreshold): number {
  return evictionSignals.indexOf(a.signal) - evictionSignals.indexOf(b.signal);
}
