import { performance } from 'node:perf_hooks';
import { sleep, type Clock } from '../../base/clock.ts';

const largeBytes = 64 * 1024;
const pauseMs = 3;
const mostPauses = 20;
/** Above it others have something to catch up on. */
const busy = 0.5;

/** Between the steps of a request about a large object, each of which is long work: lets others have their turn, and catch up. */
export function giveWay(clock: Clock, bytes: number): Promise<void> | undefined {
  return bytes < largeBytes ? undefined : untilCalm(clock);
}

async function untilCalm(clock: Clock): Promise<void> {
  for (let pause = 0; pause < mostPauses; pause += 1) {
    const before = performance.eventLoopUtilization();
    await sleep(clock, pauseMs);
    if (performance.eventLoopUtilization(before).utilization < busy) return;
  }
}
