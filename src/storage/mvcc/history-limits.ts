import type { Clock, Timer } from '../../base/clock.ts';

/** History older than either limit is forgotten. */
export interface HistoryLimits {
  readonly maxAgeMs: number;
  readonly maxRevisions: number;
}

/** As kube-apiserver asks etcd to keep it, bounded for busy clusters. */
export const defaultHistoryLimits: HistoryLimits = { maxAgeMs: 5 * 60_000, maxRevisions: 100_000 };

/** Marks how far the store was at regular times, and so knows which revision is too old. */
export class HistoryKeeper {
  readonly #clock: Clock;
  readonly #limits: HistoryLimits;
  readonly #compactTo: (revision: number) => void;
  #marks: { at: number; revision: number }[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock, limits: HistoryLimits, compactTo: (revision: number) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#compactTo = compactTo;
  }

  /** Starts the timer; `revision` tells how far the store is. */
  start(revision: () => number): void {
    this.#mark(revision());
    this.#timer = this.#clock.after(this.#limits.maxAgeMs / 10, () => {
      this.#forgetOld();
      this.start(revision);
    });
  }

  /** To be told after each commit. Compacts a tenth beyond the limit, so that the work comes in groups. */
  committed(revision: number, compacted: number): void {
    const { maxRevisions } = this.#limits;
    if (revision - compacted > maxRevisions * 1.1) this.#compactTo(revision - maxRevisions);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #mark(revision: number): void {
    this.#marks.push({ at: this.#clock.monotonic(), revision });
  }

  #forgetOld(): void {
    const oldest = this.#clock.monotonic() - this.#limits.maxAgeMs;
    const old = this.#marks.filter((mark) => mark.at <= oldest);
    this.#marks = this.#marks.slice(old.length);
    const last = old.at(-1);
    if (last) this.#compactTo(last.revision);
  }
}
