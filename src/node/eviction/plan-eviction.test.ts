import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import { evictionMessage } from './eviction-message.ts';
import type { EvictionThreshold } from './eviction-threshold.ts';
import { availableMemory } from './observe-node.ts';
import { noEviction, planEviction, type EvictionPlan, type EvictionState } from './plan-eviction.ts';
import { rankPods } from './rank-pods.ts';
import { storageOverLimit } from './storage-limits.ts';

const hard: EvictionThreshold = {
  signal: 'memory.available',
  at: { quantity: '100' },
  kind: 'hard',
  graceMs: 0,
};
const soft: EvictionThreshold = {
  signal: 'nodefs.available',
  at: { percent: 10 },
  kind: 'soft',
  graceMs: 1000,
};
const reclaiming: EvictionThreshold = { ...hard, minReclaim: { quantity: '50' } };

function look(
  thresholds: readonly EvictionThreshold[],
  free: { readonly memory?: number; readonly disk?: number },
  from: { readonly state?: EvictionState; readonly now?: number } = {},
): EvictionPlan {
  const { memory = 1000, disk = 1000 } = free;
  return planEviction({
    now: from.now ?? 0,
    thresholds,
    observations: {
      'memory.available': { available: memory, capacity: 1000 },
      'nodefs.available': { available: disk, capacity: 1000 },
    },
    state: from.state ?? noEviction,
    pressureTransitionMs: 5000,
  });
}

describe('which thresholds count', () => {
  it('none while there is enough', () => {
    expect(look([hard, soft], {})).toMatchObject({ pressure: [], thresholds: [] });
  });

  it('a hard one at once', () => {
    expect(look([hard], { memory: 99 })).toMatchObject({ pressure: ['MemoryPressure'], thresholds: [hard] });
  });

  it('a soft one after its grace period; its condition holds before', () => {
    const first = look([soft], { disk: 99 });
    expect(first).toMatchObject({ pressure: ['DiskPressure'], thresholds: [] });
    const early = look([soft], { disk: 99 }, { state: first.state, now: 999 });
    expect(early.thresholds).toEqual([]);
    expect(look([soft], { disk: 99 }, { state: early.state, now: 1000 }).thresholds).toEqual([soft]);
  });

  it('memory before disk', () => {
    const urgent: EvictionThreshold = { ...soft, kind: 'hard', graceMs: 0 };
    expect(look([urgent, hard], { memory: 1, disk: 1 }).thresholds).toEqual([hard, urgent]);
  });

  it('a condition stays for the transition period', () => {
    const met = look([hard], { memory: 99 });
    const gone = look([hard], {}, { state: met.state, now: 4999 });
    expect(gone).toMatchObject({ pressure: ['MemoryPressure'], thresholds: [] });
    expect(look([hard], {}, { state: gone.state, now: 5000 }).pressure).toEqual([]);
  });

  it('one that was met counts until its minimum is reclaimed', () => {
    const met = look([reclaiming], { memory: 99 });
    expect(look([reclaiming], { memory: 149 }, { state: met.state, now: 1 }).thresholds).toEqual([
      reclaiming,
    ]);
    expect(look([reclaiming], { memory: 150 }, { state: met.state, now: 1 }).thresholds).toEqual([]);
  });
});

function pod(name: string, more: { readonly request?: string; readonly priority?: number } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      ...(more.priority !== undefined && { priority: more.priority }),
      containers: [{ name: 'c', resources: { requests: { memory: more.request ?? '0' } } }],
    },
  };
}

it('ranks pods by what they exceed, their priority, and how much they use', () => {
  const ranked = rankPods(
    [
      { pod: pod('within', { request: '100' }), used: 90 },
      { pod: pod('greedy', { request: '10' }), used: 50 },
      { pod: pod('greedier'), used: 60 },
      { pod: pod('important', { priority: 5 }), used: 500 },
      { pod: pod('critical', { priority: 2_000_000_000 }), used: 900 },
    ],
    'memory',
  );
  expect(ranked.map((one) => one.pod.metadata.name)).toEqual(['greedier', 'greedy', 'important', 'within']);
});

it('says why in the kubelet’s words', () => {
  const seen = { available: 50 * 1024, capacity: 1024 * 1024 };
  const threshold: EvictionThreshold = { ...hard, at: { quantity: '100Mi' } };
  expect(evictionMessage(threshold, seen, pod('p', { request: '1Ki' }), () => 2048)).toBe(
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Ki. Container c was using 2Ki, request is 1Ki, has larger consumption of memory. ',
  );
  const disk: EvictionThreshold = { ...hard, signal: 'nodefs.inodesFree' };
  expect(evictionMessage(disk, { available: 5, capacity: 9 }, pod('p'), () => 1)).toBe(
    'The node was low on resource: inodes. Threshold quantity: 100, available: 5. ',
  );
});

it('reads memory from the kernel’s text', () => {
  expect(availableMemory('MemTotal:     10 kB\nMemFree: 1 kB\nMemAvailable:   4 kB\n')).toEqual({
    capacity: 10_240,
    available: 4096,
  });
});

describe('limits of storage', () => {
  const limited = (limits: Readonly<Record<string, string>>, sizeLimit?: string): Pod => ({
    ...pod('p'),
    spec: {
      containers: [{ name: 'a', resources: { limits } }, { name: 'b' }],
      volumes: [{ name: 'v', emptyDir: sizeLimit === undefined ? {} : { sizeLimit } }],
    },
  });
  const used = { emptyDirs: new Map([['v', 100]]), containers: new Map([['a', 30]]), inodes: 0 };
  it.each([
    ['none', limited({}), undefined],
    ['enough', limited({ 'ephemeral-storage': '130' }, '100'), undefined],
    ['a volume', limited({}, '99'), 'Usage of EmptyDir volume "v" exceeds the limit "99". '],
    [
      'the pod',
      limited({ 'ephemeral-storage': '129' }),
      'Pod ephemeral local storage usage exceeds the total limit of containers 129. ',
    ],
  ])('%s', (_name, of, message) => {
    expect(storageOverLimit(of, used)).toBe(message);
  });
  it('a container', () => {
    const alone = { emptyDirs: new Map(), containers: new Map([['a', 30]]), inodes: 0 };
    const both: Pod = {
      ...pod('p'),
      spec: {
        containers: [
          { name: 'a', resources: { limits: { 'ephemeral-storage': '20' } } },
          { name: 'b', resources: { limits: { 'ephemeral-storage': '20' } } },
        ],
      },
    };
    expect(storageOverLimit(both, alone)).toBe(
      'Container a exceeded its local ephemeral storage limit "20". ',
    );
  });
});
