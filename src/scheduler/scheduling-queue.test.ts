import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/core/v1.gen.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { Live } from '../machinery/object.ts';
import type { ClusterEvent, EventRegistration } from './cluster-event.ts';
import { EventHints } from './event-hints.ts';
import { podInfo, type PodInfo } from './pod-info.ts';
import { SchedulingQueue } from './scheduling-queue.ts';
import { unresolvable } from './status.ts';

function info(name: string, priority: number = 0, gate?: string): PodInfo {
  const pod: Live<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      containers: [{ name: 'c' }],
      priority,
      ...(gate !== undefined && { schedulingGates: [{ name: gate }] }),
    },
  };
  return podInfo(pod);
}

const nodeAdded: ClusterEvent = { resource: 'Node', action: 'Add' };
const podGone: ClusterEvent = { resource: 'AssignedPod', action: 'Delete' };
const claimBound: ClusterEvent = { resource: 'PersistentVolumeClaim', action: 'Update' };

const registrations: readonly (readonly [string, readonly EventRegistration[] | undefined])[] = [
  ['Fit', [{ resource: 'Node', actions: ['Add'] }]],
  [
    'Picky',
    [
      {
        resource: 'AssignedPod',
        actions: ['Delete'],
        hint: ({ name }) => (name === 'lucky' ? 'Queue' : 'QueueSkip'),
      },
    ],
  ],
  ['Waits', [{ resource: 'PersistentVolumeClaim', actions: ['Update'] }]],
  ['Gates', [{ resource: 'TargetPod', actions: ['UpdatePodSchedulingGatesEliminated'] }]],
];

interface TestQueue {
  readonly queue: SchedulingQueue;
  readonly clock: FakeClock;
  /** Takes everything that can be taken; names in order. */
  take(): string[];
}

function open(): TestQueue {
  const clock = new FakeClock();
  const hints = new EventHints(registrations);
  const queue = new SchedulingQueue({
    clock,
    initialBackoffMs: 1000,
    maxBackoffMs: 10_000,
    before: (a, b) =>
      a.info.priority !== b.info.priority ? a.info.priority > b.info.priority : a.order < b.order,
    preEnqueue: ({ pod }) =>
      pod.spec.schedulingGates ? { plugin: 'Gates', status: unresolvable('gated') } : undefined,
    hintsFor: () => hints,
    concerned: (event) => hints.concerned(event),
    wake: () => undefined,
  });
  const take = (): string[] => {
    const names: string[] = [];
    for (let next = queue.pop(); next; next = queue.pop()) names.push(next.info.name);
    return names;
  };
  return { queue, clock, take };
}

const rejectedBy = (...plugins: readonly string[]): Parameters<SchedulingQueue['reject']>[1] => ({
  unschedulablePlugins: new Set(plugins),
  pendingPlugins: new Set(),
});

describe('SchedulingQueue', () => {
  it('gives the most important pod first, then the one that came first', () => {
    const { queue, take } = open();
    for (const [name, priority] of [
      ['a', 0],
      ['b', 5],
      ['c', 0],
      ['d', 5],
      ['e', 9],
    ] as const)
      queue.add(info(name, priority));
    expect(take()).toEqual(['e', 'b', 'd', 'a', 'c']);
  });

  it('forgets what is removed, also while it is being tried', () => {
    const { queue, take } = open();
    queue.add(info('a'));
    queue.add(info('b'));
    queue.remove('a');
    expect(take()).toEqual(['b']);
    queue.remove('b');
    queue.reject('b', rejectedBy('Fit'));
    queue.notify(nodeAdded);
    expect(take()).toEqual([]);
  });

  it.each<[string, string, ClusterEvent, boolean]>([
    ['an event that the plug-in registered', 'Fit', nodeAdded, true],
    ['an event of another plug-in', 'Fit', podGone, false],
    ['an event that the hint passes over', 'Picky', podGone, false],
    ['an event of everything', 'Fit', { resource: '*', action: 'Update' }, true],
  ])('wakes rejected pods on what helps: %s', (_, plugin, event, woken) => {
    const { queue, take } = open();
    queue.add(info('p'));
    take();
    queue.reject('p', rejectedBy(plugin));
    expect(take()).toEqual([]);
    queue.notify(event);
    expect(take()).toEqual(woken ? ['p'] : []);
  });

  it('asks the hint about the pod', () => {
    const { queue, take } = open();
    for (const name of ['unlucky', 'lucky']) queue.add(info(name));
    take();
    for (const name of ['unlucky', 'lucky']) queue.reject(name, rejectedBy('Picky'));
    queue.notify(podGone);
    expect(take()).toEqual(['lucky']);
  });

  it('backs errors off for 1 s, doubling to 10 s', async () => {
    const { queue, clock, take } = open();
    queue.add(info('p'));
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      expect(take()).toEqual(['p']);
      queue.fail('p');
      let waited = 0;
      while (queue.counts().active === 0) {
        expect(take()).toEqual([]);
        await clock.advance(500);
        waited += 500;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('holds rejected pods back behind those that are new, unless nothing else is to be done', () => {
    const { queue, take } = open();
    queue.add(info('old', 100));
    take();
    queue.reject('old', rejectedBy('Fit'));
    queue.notify(nodeAdded);
    queue.add(info('new'));
    expect([queue.counts(), take()]).toEqual([
      { active: 1, backoff: 1, unschedulable: 0, gated: 0 },
      ['new', 'old'],
    ]);
  });

  it('keeps the order of importance once the back-off is over', async () => {
    const { queue, clock, take } = open();
    queue.add(info('old', 100));
    take();
    queue.reject('old', rejectedBy('Fit'));
    queue.notify(nodeAdded);
    await clock.advance(1000);
    queue.add(info('new'));
    expect(take()).toEqual(['old', 'new']);
  });

  it('tries pods at once that waited for something of their own', () => {
    const { queue, take } = open();
    queue.add(info('p'));
    take();
    queue.reject('p', { unschedulablePlugins: new Set(), pendingPlugins: new Set(['Waits']) });
    queue.notify(claimBound);
    expect([queue.counts().active, take()]).toEqual([1, ['p']]);
  });

  it('does not miss what happens during an attempt', () => {
    const { queue, take } = open();
    queue.add(info('p'));
    expect(take()).toEqual(['p']);
    queue.notify(nodeAdded);
    queue.reject('p', rejectedBy('Fit'));
    expect(take()).toEqual(['p']);
    queue.reject('p', rejectedBy('Fit'));
    expect(take()).toEqual([]);
  });

  it('tries again after five minutes whatever happened', async () => {
    const { queue, clock, take } = open();
    queue.add(info('p'));
    take();
    queue.reject('p', rejectedBy('Fit'));
    await clock.advance(4 * 60_000);
    expect(take()).toEqual([]);
    await clock.advance(90_000);
    expect(take()).toEqual(['p']);
  });

  it('holds gated pods until their gates are gone', async () => {
    const { queue, clock, take } = open();
    const gated = info('p', 0, 'example.com/wait');
    queue.add(gated);
    queue.notify(nodeAdded);
    queue.activate(['p']);
    await clock.advance(10 * 60_000);
    expect([take(), queue.counts().gated]).toEqual([[], 1]);
    const free = info('p');
    queue.update(free, [
      {
        resource: 'TargetPod',
        action: 'UpdatePodSchedulingGatesEliminated',
        previous: gated.pod,
        next: free.pod,
      },
    ]);
    expect(take()).toEqual(['p']);
  });

  it('tries what it is told to', () => {
    const { queue, take } = open();
    queue.add(info('p'));
    take();
    queue.reject('p', rejectedBy('Fit'));
    queue.activate(['p', 'unknown']);
    expect(take()).toEqual(['p']);
  });
});
