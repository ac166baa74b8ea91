import { describe, expect, it } from 'vitest';
import type { Node, NodeCondition, Taint } from '../../api/core/v1.gen.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { EvictionQueue } from './eviction-queue.ts';
import { missingBetaLabels, unknownConditions } from './node-health.ts';
import { planTaints, type EvictionMode } from './node-taints.ts';
import {
  countZones,
  defaultZoneSettings,
  evictionRate,
  isEverythingDown,
  zoneOf,
  zoneState,
} from './zones.ts';

const now = Date.UTC(2026, 0, 1);
const time = '2026-01-01T00:00:00Z';

interface Draft {
  readonly conditions?: Readonly<Record<string, string>>;
  readonly taints?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly unschedulable?: boolean;
}

function taint(text: string): Taint {
  const [key = '', effect] = text.split(':');
  return { key, effect: effect === 'NoExecute' ? 'NoExecute' : 'NoSchedule' };
}

function node({ conditions = {}, taints, labels, unschedulable }: Draft): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', creationTimestamp: '2025-12-31T00:00:00Z', ...(labels && { labels }) },
    spec: { ...(taints && { taints: taints.map(taint) }), ...(unschedulable && { unschedulable }) },
    status: {
      conditions: Object.entries(conditions).map(([type, status]): NodeCondition => ({ type, status })),
    },
  };
}

describe('planTaints', () => {
  const k = 'node.kubernetes.io';
  it.each<[string, Draft, EvictionMode, readonly [taints: readonly string[], waits: boolean]]>([
    ['a ready node has none', { conditions: { Ready: 'True' } }, 'wait', [[], false]],
    [
      'a node that is not ready takes no pods at once and waits to be emptied',
      { conditions: { Ready: 'False' } },
      'wait',
      [[`${k}/not-ready:NoSchedule`], true],
    ],
    [
      'when it is its turn it is emptied',
      { conditions: { Ready: 'Unknown' }, taints: [`${k}/unreachable:NoSchedule`] },
      'taint',
      [[`${k}/unreachable:NoSchedule`, `${k}/unreachable:NoExecute`], false],
    ],
    [
      'a taint of the other kind is exchanged without waiting',
      {
        conditions: { Ready: 'Unknown' },
        taints: [`${k}/not-ready:NoSchedule`, `${k}/not-ready:NoExecute`],
      },
      'wait',
      [[`${k}/unreachable:NoSchedule`, `${k}/unreachable:NoExecute`], false],
    ],
    [
      'with the whole cluster down nothing is emptied',
      { conditions: { Ready: 'Unknown' }, taints: [`${k}/unreachable:NoExecute`] },
      'clear',
      [[`${k}/unreachable:NoSchedule`], false],
    ],
    [
      'a node that comes back loses both',
      {
        conditions: { Ready: 'True' },
        taints: [`${k}/unreachable:NoSchedule`, `${k}/unreachable:NoExecute`],
      },
      'wait',
      [[], false],
    ],
    [
      'a node that never reported keeps what empties it and loses what its conditions do not call for',
      { taints: [`${k}/not-ready:NoSchedule`, `${k}/unreachable:NoExecute`] },
      'wait',
      [[`${k}/unreachable:NoExecute`], false],
    ],
    [
      'conditions of every kind and cordoning show',
      {
        conditions: {
          Ready: 'True',
          MemoryPressure: 'True',
          DiskPressure: 'True',
          PIDPressure: 'True',
          NetworkUnavailable: 'True',
        },
        unschedulable: true,
      },
      'wait',
      [
        [
          `${k}/memory-pressure:NoSchedule`,
          `${k}/disk-pressure:NoSchedule`,
          `${k}/network-unavailable:NoSchedule`,
          `${k}/pid-pressure:NoSchedule`,
          `${k}/unschedulable:NoSchedule`,
        ],
        false,
      ],
    ],
    [
      'an unknown pressure is no pressure',
      { conditions: { Ready: 'True', MemoryPressure: 'Unknown' } },
      'wait',
      [[], false],
    ],
    [
      'taints of others stay, even with a key of ours and another effect',
      { conditions: { Ready: 'True' }, taints: ['gpu:NoSchedule', `${k}/memory-pressure:NoExecute`] },
      'wait',
      [['gpu:NoSchedule', `${k}/memory-pressure:NoExecute`], false],
    ],
  ])('%s', (_, draft, mode, [taints, waits]) => {
    const plan = planTaints(node(draft), mode, now);
    expect([plan.taints.map(({ key, effect }) => `${key}:${effect}`).sort(), plan.waits]).toEqual([
      [...taints].sort(),
      waits,
    ]);
    const again = planTaints(
      { ...node(draft), spec: { ...node(draft).spec, taints: plan.taints } },
      mode,
      now,
    );
    expect(again.taints).toBe(plan.taints);
  });

  it('notes when a taint was added and leaves older ones as they are', () => {
    const old: Taint = { key: `${k}/not-ready`, effect: 'NoSchedule', timeAdded: '2025-01-01T00:00:00Z' };
    const held = node({ conditions: { Ready: 'False' } });
    expect(planTaints({ ...held, spec: { taints: [old] } }, 'taint', now).taints).toEqual([
      old,
      { key: `${k}/not-ready`, effect: 'NoExecute', timeAdded: time },
    ]);
  });
});

describe('unknownConditions', () => {
  it('turns what a silent node said, adds what it never said, and leaves others alone', () => {
    const held: NodeCondition[] = [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: time },
      { type: 'MemoryPressure', status: 'Unknown', reason: 'NodeStatusUnknown' },
      { type: 'NetworkUnavailable', status: 'False' },
    ];
    const never = {
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: '2025-12-31T00:00:00Z',
      lastTransitionTime: time,
    };
    expect(unknownConditions({ ...node({}), status: { conditions: held } }, now)).toEqual([
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastHeartbeatTime: time,
        lastTransitionTime: time,
      },
      held[1],
      held[2],
      { type: 'DiskPressure', ...never },
      { type: 'PIDPressure', ...never },
    ]);
  });
});

describe('missingBetaLabels', () => {
  it.each<[Readonly<Record<string, string>>, Readonly<Record<string, string>> | undefined]>([
    [{}, undefined],
    [{ 'kubernetes.io/os': 'linux' }, { 'beta.kubernetes.io/os': 'linux' }],
    [
      { 'kubernetes.io/arch': 'arm64', 'beta.kubernetes.io/arch': 'amd64' },
      { 'beta.kubernetes.io/arch': 'arm64' },
    ],
    [{ 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'linux' }, undefined],
  ])('%j', (labels, missing) => {
    expect(missingBetaLabels(node({ labels }))).toEqual(missing);
  });
});

describe('zones', () => {
  it.each([
    [{ ready: 10, notReady: 0 }, 'normal', 0.1],
    [{ ready: 0, notReady: 1 }, 'full', 0.1],
    [{ ready: 1, notReady: 2 }, 'normal', 0.1],
    [{ ready: 2, notReady: 3 }, 'partial', 0],
    [{ ready: 5, notReady: 5 }, 'normal', 0.1],
    [{ ready: 22, notReady: 28 }, 'partial', 0],
    [{ ready: 22, notReady: 29 }, 'partial', 0.01],
    [{ ready: 0, notReady: 0 }, 'normal', 0.1],
  ] as const)('%j is %s and evicts %d nodes per second', (count, state, rate) => {
    expect([zoneState(count, defaultZoneSettings), evictionRate(count, defaultZoneSettings)]).toEqual([
      state,
      rate,
    ]);
  });

  it('are told from labels, old and new', () => {
    const zone = { 'topology.kubernetes.io/zone': 'a', 'topology.kubernetes.io/region': 'r' };
    const beta = { 'failure-domain.beta.kubernetes.io/zone': 'a' };
    expect([{}, zone, beta].map((labels) => zoneOf(node({ labels })))).toEqual(['', 'r:\0:a', ':\0:a']);
  });

  it('count neither nodes that never reported nor excluded ones', () => {
    const zones = countZones([
      node({ conditions: { Ready: 'True' } }),
      node({ conditions: { Ready: 'Unknown' } }),
      node({}),
      node({ conditions: { Ready: 'False' }, labels: { 'node.kubernetes.io/exclude-disruption': '' } }),
    ]);
    expect([...zones]).toEqual([['', { ready: 1, notReady: 1 }]]);
  });

  it('are all down only when there are any', () => {
    const down = { ready: 0, notReady: 3 };
    expect([
      isEverythingDown(new Map()),
      isEverythingDown(new Map([['a', down]])),
      isEverythingDown(
        new Map([
          ['a', down],
          ['b', { ready: 1, notReady: 9 }],
        ]),
      ),
    ]).toEqual([false, true, false]);
  });
});

describe('EvictionQueue', () => {
  it('lets one node of each zone go at once and the next ones at the rate of their zone', async () => {
    const clock = new FakeClock();
    const queue = new EvictionQueue(clock);
    for (const name of ['a1', 'a2', 'a3']) queue.add('a', name);
    for (const name of ['b1', 'b2']) queue.add('b', name);
    queue.add('held', 'c1');
    queue.setRate('a', 0.1);
    queue.setRate('b', 0.01);
    const log = [[...queue.take()], [...queue.take()], queue.msUntilNext()];
    await clock.advance(10_000);
    log.push([...queue.take()]);
    queue.remove('a3');
    await clock.advance(10_000);
    log.push([...queue.take()], queue.msUntilNext());
    queue.setRate('b', 0.1);
    log.push(queue.msUntilNext());
    await clock.advance(8000);
    log.push([...queue.take()], queue.msUntilNext());
    expect(log).toEqual([['a1', 'b1'], [], 10_000, ['a2'], [], 80_000, 8000, ['b2'], undefined]);
  });
});
