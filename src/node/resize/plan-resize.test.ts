import { describe, expect, it } from 'vitest';
import type { Container, Pod, ResourceRequirements } from '../../api/core/v1.gen.ts';
import { allocationOf, withAllocation } from './allocation.ts';
import { compareWaitingResizes, planActuation, planAllocation } from './plan-resize.ts';
import { resizeMessage } from './resize-message.ts';

/** `cpu 100m..200m memory 1Mi`: requests, or requests and limits. */
function amounts(text: string): ResourceRequirements {
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  const words = text.split(' ').filter(Boolean);
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [name = '', range = ''] = [words[at], words[at + 1]];
    const [request = '', limit] = range.split('..');
    requests[name] = request;
    if (limit !== undefined) limits[name] = limit;
  }
  return { requests, limits };
}

function pod(text: string, more: { readonly priority?: number; readonly static?: boolean } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generation: 2,
      ...(more.static === true && { annotations: { 'kubernetes.io/config.source': 'file' } }),
    },
    spec: {
      containers: [{ name: 'c', resources: amounts(text) }],
      ...(more.priority !== undefined && { priority: more.priority }),
    },
  };
}

const room = { allocatable: { cpu: '2', memory: '1Gi' }, others: [pod('cpu 1')] };

describe('what a node grants', () => {
  it.each([
    ['what is the same', pod('cpu 1000m'), 'cpu 1', 'none'],
    ['what there is room for', pod('cpu 1'), 'cpu 500m', 'grant'],
    ['less', pod('cpu 100m'), 'cpu 1', 'grant'],
    [
      'what there is no room for now',
      pod('cpu 1500m'),
      'cpu 1',
      "Deferred: Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    ],
    [
      'what there will never be room for',
      pod('cpu 3 memory 2Gi'),
      'cpu 1',
      "Infeasible: Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824",
    ],
    [
      'a static pod',
      pod('cpu 2', { static: true }),
      'cpu 1',
      'Infeasible: In-place resize of static-pods is not supported',
    ],
  ])('%s', (_name, wanted, had, expected) => {
    const decision = planAllocation(wanted, allocationOf(pod(had)), room);
    expect(typeof decision === 'string' ? decision : `${decision.reason}: ${decision.message}`).toBe(
      expected,
    );
  });

  it('shows the pod with what was granted', () => {
    expect(withAllocation(pod('cpu 3'), allocationOf(pod('cpu 1'))).spec.containers[0]?.resources).toEqual(
      amounts('cpu 1'),
    );
  });
});

describe('what a running container needs', () => {
  const restartsForMemory: Container['resizePolicy'] = [
    { resourceName: 'cpu', restartPolicy: 'NotRequired' },
    { resourceName: 'memory', restartPolicy: 'RestartContainer' },
  ];
  it.each([
    ['cpu 1 memory 1Mi', 'cpu 1 memory 1Mi', 'none'],
    ['cpu 1 memory 1Mi', 'cpu 1000m memory 1024Ki', 'none'],
    ['cpu 1 memory 1Mi', 'cpu 2 memory 1Mi', 'update'],
    ['cpu 1 memory 1Mi', 'cpu 1 memory 1Mi..2Mi', 'restart'],
    ['cpu 1 memory 1Mi', 'cpu 2 memory 2Mi', 'restart'],
  ])('from %s to %s: %s', (had, granted, expected) => {
    const container = { name: 'c', resources: amounts(granted), resizePolicy: restartsForMemory };
    expect(planActuation(container, amounts(had))).toBe(expected);
  });
});

it('gives turns to those that shrink, then by priority, class and time', () => {
  const waiting = (
    name: string,
    wanted: Pod,
    since: number,
  ): Parameters<typeof compareWaitingResizes>[0] & {
    readonly name: string;
  } => ({ name, pod: wanted, granted: pod('cpu 1'), since });
  const turns = [
    waiting('late', pod('cpu 2'), 2),
    waiting('early', pod('cpu 2'), 1),
    waiting('guaranteed', pod('cpu 2..2 memory 1Mi..1Mi'), 3),
    waiting('important', pod('cpu 2', { priority: 5 }), 4),
    waiting('shrinks', pod('cpu 500m'), 5),
  ].sort(compareWaitingResizes);
  expect(turns.map(({ name }) => name)).toEqual(['shrinks', 'important', 'guaranteed', 'early', 'late']);
});

it('tells of a resize as the kubelet does', () => {
  expect(resizeMessage('Pod resize started', pod('memory 1Mi..2Mi cpu 1'))).toBe(
    'Pod resize started: {"containers":[{"name":"c","resources":{"limits":{"memory":"2Mi"},"requests":{"cpu":"1","memory":"1Mi"}}}],"generation":2}',
  );
});
