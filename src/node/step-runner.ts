import type { Clock, Timer } from '../base/clock.ts';

/** What Node's timers can count. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/** A step that failed is not run again at once. */
const AFTER_FAILURE_MS = 1000;

/**
 * Runs named background steps: one of a name at a time, and none before the time that {@link StepRunner.later} set, which after
 * a failure is a second ahead at least.
 */
export class StepRunner {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #onError: (error: unknown) => void;
  readonly #running = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, Timer>();
  #closed = false;

  /** `onChange` is called when a step ends and when a wait is over. */
  constructor(options: { readonly clock: Clock; onChange(): void; onError(error: unknown): void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
    this.#onError = options.onError;
  }

  /** Starts a step unless one of this name runs or waits for its time. */
  run(name: string, step: () => Promise<void>): void {
    if (this.#closed || this.isBusy(name)) return;
    const work = step()
      .catch((error: unknown) => {
        if (!this.#timers.has(name)) this.later(name, AFTER_FAILURE_MS);
        this.#onError(error);
      })
      .finally(() => {
        this.#running.delete(name);
        this.#onChange();
      });
    this.#running.set(name, work);
  }

  /** Whether a step of this name runs or waits for its time. */
  isBusy(name: string): boolean {
    return this.#running.has(name) || this.#timers.has(name);
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /** Holds back steps of this name for `ms`, then calls `onChange`. */
  later(name: string, ms: number): void {
    if (this.#closed) return;
    this.#timers.get(name)?.cancel();
    this.#timers.set(
      name,
      this.#clock.after(Math.min(ms, MAX_WAIT_MS), () => this.wake(name)),
    );
  }

  /** Ends a wait now. */
  wake(name: string): void {
    const timer = this.#timers.get(name);
    if (!timer) return;
    timer.cancel();
    this.#timers.delete(name);
    this.#onChange();
  }

  /** Resolves when the steps that run now, but for the one that asks, have ended. */
  async othersSettled(asking: string): Promise<void> {
    const others = [...this.#running].filter(([name]) => name !== asking);
    await Promise.all(others.map(([, work]) => work));
  }

  /** Drops all waits and starts nothing more. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
