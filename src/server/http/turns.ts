import type { Clock } from '../../base/clock.ts';

/** Small pieces of work that come in large numbers, such as what is written to many watchers. */
export interface Turns {
  /** Runs a piece of work, in order: at once, unless so much was done already that others must be served first. */
  run(work: () => void): void;
}

const sliceMs = 0.5;

/** Does at most half a millisecond of work before what else there is to do has its turn. */
export function fairTurns(clock: Clock): Turns {
  let waiting: (() => void)[] = [];
  let used = 0;
  let scheduled = false;

  function timed(work: () => void): void {
    const from = clock.monotonic();
    work();
    used += clock.monotonic() - from;
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(next);
  }

  function next(): void {
    scheduled = false;
    used = 0;
    let at = 0;
    const due = waiting;
    while (at < due.length && used < sliceMs) {
      const work = due[at];
      at += 1;
      if (work) timed(work);
    }
    waiting = waiting.slice(at);
    if (waiting.length > 0 || used > 0) schedule();
  }

  return {
    run(work) {
      schedule();
      if (waiting.length > 0 || used >= sliceMs) waiting.push(work);
      else timed(work);
    },
  };
}
