import { performance } from 'node:perf_hooks';
import { sleep, type Clock } from '../../base/clock.ts';

/** Where requests about large objects, whose steps are long work, give way to those of others. */
export interface LargeObjects {
  /** Counts a request; many of them are others that may be kept waiting. */
  arrived(): void;
  /** Whether more was asked for just now than one person, or a few components, ask for. */
  isBusy(): boolean;
  /** To be awaited between the steps of work on an object of so many bytes; undefined: it is small, go on. */
  giveWay(bytes: number): Promise<void> | undefined;
}

const largeBytes = 128 * 1024;
/** So many requests in a period are more than one person's, or a few components', at work. */
const manyRequests = 20;
const periodMs = 500;
/** Of the time while there are many others, work on large objects takes one part in so many. */
const parts = 150;
/** What a step may take without anybody noticing. */
const harmlessMs = 1;
const longestPauseMs = 3_000;
const freshMs = 250;

const breathMs = 3;
const mostBreaths = 20;
/** Above it others have something to catch up on. */
const utilized = 0.5;

/**
 * One step of work on large objects at a time. While few others ask for anything, there is a breath between steps; while many
 * do, a pause in proportion to how long the step before took, so that few of the others wait for one.
 */
export function largeObjects(clock: Clock): LargeObjects {
  const arrivals = { from: clock.monotonic(), now: 0, before: 0 };
  let step:
    | { readonly at: number; readonly loop: ReturnType<typeof performance.eventLoopUtilization> }
    | undefined;
  let freeAt = 0;
  let last: Promise<void> = Promise.resolve();

  function roll(): void {
    const passed = Math.floor((clock.monotonic() - arrivals.from) / periodMs);
    if (passed === 0) return;
    arrivals.before = passed === 1 ? arrivals.now : 0;
    arrivals.now = 0;
    arrivals.from += passed * periodMs;
  }

  function isBusy(): boolean {
    roll();
    return arrivals.now + arrivals.before >= manyRequests;
  }

  /** Adds the pause that the step before is due. */
  function settle(): void {
    if (!step) return;
    const { at, loop } = step;
    step = undefined;
    const now = clock.monotonic();
    if (now - at > freshMs) return;
    const harm = Math.max(performance.eventLoopUtilization(loop).active - harmlessMs, 0);
    freeAt = now + Math.min(harm * parts, longestPauseMs);
  }

  async function turn(): Promise<void> {
    settle();
    if (isBusy()) await sleep(clock, Math.max(freeAt - clock.monotonic(), breathMs));
    else await untilCalm(clock);
    step = { at: clock.monotonic(), loop: performance.eventLoopUtilization() };
  }

  return {
    arrived() {
      roll();
      arrivals.now += 1;
    },
    isBusy,
    giveWay(bytes) {
      if (bytes < largeBytes) return undefined;
      const mine = last.then(turn);
      // The next one is measured from behind this one's step.
      last = mine.then(() => new Promise((resolve) => setImmediate(resolve)));
      return mine;
    },
  };
}

async function untilCalm(clock: Clock): Promise<void> {
  for (let breath = 0; breath < mostBreaths; breath += 1) {
    const before = performance.eventLoopUtilization();
    await sleep(clock, breathMs);
    if (performance.eventLoopUtilization(before).utilization < utilized) return;
  }
}
