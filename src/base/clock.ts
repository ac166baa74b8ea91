/** A pending timer; disposing it cancels it and is harmless afterwards. */
export interface Timer {
  cancel(): void;
}

/** The only source of time and timers. Production code takes one; tests step a {@link Clock} of their own. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds since an arbitrary origin; never runs backwards. */
  monotonic(): number;
  /** Calls `run` once, `ms` milliseconds from now. The timer does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
}

/** Node.js fires a timer that is set further ahead at once. */
const longestTimeout = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    let handle = wait(ms);
    return { cancel: () => clearTimeout(handle) };

    function wait(left: number): NodeJS.Timeout {
      const step = Math.min(left, longestTimeout);
      return setTimeout(() => {
        if (step < left) handle = wait(left - step);
        else run();
      }, step).unref();
    }
  },
};

/** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    function abort(): void {
      timer.cancel();
      reject(signal?.reason);
    }
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** RFC 3339 with whole seconds, as `metav1.Time` is written. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with microseconds, as `metav1.MicroTime` is written. */
export function microTimestamp(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.floor((ms - whole) * 1000);
  return `${new Date(whole).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}
