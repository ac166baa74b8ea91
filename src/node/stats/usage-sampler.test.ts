import { expect, it } from 'vitest';
import { machineSample, usageOf } from './usage-sampler.ts';

it('a rate is what was spent in the time between', () => {
  const latest = { at: 11_000, cpuNanoseconds: 3_000_000_000, memoryWorkingSetBytes: 7 };
  expect(usageOf({ before: { at: 1_000, cpuNanoseconds: 500_000_000 }, latest })).toEqual({
    cpuNanocores: 250_000_000,
    memoryBytes: 7,
  });
  expect(usageOf({ before: { at: 11_000, cpuNanoseconds: 0 }, latest }).cpuNanocores).toBe(0);
  expect(usageOf({ before: { at: 1_000, cpuNanoseconds: 4_000_000_000 }, latest }).cpuNanocores).toBe(0);
});

it('a machine is busy but for its idle time and what waits for disks', () => {
  const stat = 'cpu  100 20 30 9000 500 4 5 6 70 8\ncpu0 1 2 3 4 5 6 7 8 9 0\nintr 1\n';
  const memory = 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n';
  expect(machineSample(stat, memory, 5)).toEqual({
    at: 5,
    cpuNanoseconds: 165 * 10_000_000,
    memoryWorkingSetBytes: 600 * 1024,
  });
});
