import type { Clock } from '../../base/clock.ts';

interface Zone {
  readonly waiting: Set<string>;
  rate: number;
  nextMs: number;
}

/** Nodes that wait for their taint, zone by zone, each zone at its own rate (a bucket that holds one token). */
export class EvictionQueue {
  readonly #clock: Clock;
  readonly #zones = new Map<string, Zone>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(zone: string, node: string): void {
    this.#of(zone).waiting.add(node);
  }

  remove(node: string): void {
    for (const { waiting } of this.#zones.values()) waiting.delete(node);
  }

  clear(): void {
    for (const { waiting } of this.#zones.values()) waiting.clear();
  }

  /** Sets how many nodes per second leave a zone's queue; a token that was used stays used. */
  setRate(zone: string, rate: number): void {
    const held = this.#of(zone);
    if (held.rate === rate) return;
    if (held.rate > 0 && rate > 0) {
      const now = this.#clock.monotonic();
      held.nextMs = now + Math.max(0, held.nextMs - now) * (held.rate / rate);
    }
    held.rate = rate;
  }

  /** Takes the nodes whose turn it is. */
  take(): readonly string[] {
    const now = this.#clock.monotonic();
    const taken: string[] = [];
    for (const zone of this.#zones.values()) {
      const [first] = zone.waiting;
      if (first === undefined || zone.rate === 0 || zone.nextMs > now) continue;
      zone.waiting.delete(first);
      zone.nextMs = now + 1000 / zone.rate;
      taken.push(first);
    }
    return taken;
  }

  /** Milliseconds until {@link take} may have something; undefined when only a change can bring that about. */
  msUntilNext(): number | undefined {
    const now = this.#clock.monotonic();
    const waits = [...this.#zones.values()]
      .filter(({ waiting, rate }) => waiting.size > 0 && rate > 0)
      .map(({ nextMs }) => Math.max(0, nextMs - now));
    return waits.length > 0 ? Math.min(...waits) : undefined;
  }

  #of(name: string): Zone {
    let zone = this.#zones.get(name);
    if (!zone) this.#zones.set(name, (zone = { waiting: new Set(), rate: 0, nextMs: 0 }));
    return zone;
  }
}
