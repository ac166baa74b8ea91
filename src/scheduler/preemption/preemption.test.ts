import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { NodeInfo } from '../node-info.ts';
import { podInfo, type PodInfo } from '../pod-info.ts';
import { pickCandidate } from './pick-candidate.ts';
import type { Candidate } from './victims.ts';

const creationTimestamp = '2026-01-01T00:00:00Z';

function victim(priority: number, startedAt: string = '10:00:00'): PodInfo {
  const pod: Live<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'v', namespace: 'default', uid: 'v', resourceVersion: '1', creationTimestamp },
    spec: { containers: [{ name: 'c' }], priority },
    status: { startTime: `2026-01-01T${startedAt}Z` },
  };
  return podInfo(pod);
}

function candidate(name: string, victims: readonly PodInfo[], violations: number = 0): Candidate {
  const metadata = { name, uid: name, resourceVersion: '1', creationTimestamp };
  return { node: new NodeInfo({ apiVersion: 'v1', kind: 'Node', metadata, spec: {} }), victims, violations };
}

describe('pickCandidate', () => {
  it.each<[string, readonly Candidate[], string]>([
    [
      'violates as few budgets as possible',
      [candidate('a', [victim(1)], 1), candidate('b', [victim(100), victim(100)])],
      'b',
    ],
    [
      'spares the most important pods',
      [candidate('a', [victim(10)]), candidate('b', [victim(5), victim(5), victim(5)])],
      'b',
    ],
    [
      'takes the smallest sum of priorities',
      [candidate('a', [victim(10), victim(9)]), candidate('b', [victim(10), victim(1)])],
      'b',
    ],
    [
      'counts each pod in the sum, however low its priority',
      [candidate('a', [victim(10), victim(-20)]), candidate('b', [victim(10)])],
      'b',
    ],
    [
      'lets pods go that started late',
      [candidate('a', [victim(10, '10:00:00')]), candidate('b', [victim(10, '11:00:00')])],
      'b',
    ],
    [
      'looks at the earliest start of the most important victims only',
      [
        candidate('a', [victim(10, '10:00:00'), victim(10, '12:00:00')]),
        candidate('b', [victim(10, '11:00:00'), victim(10, '11:00:00')]),
      ],
      'b',
    ],
    ['takes the first of equals', [candidate('a', [victim(1)]), candidate('b', [victim(1)])], 'a'],
  ])('%s', (_, candidates, expected) => {
    expect(pickCandidate(candidates)?.node.name).toBe(expected);
  });
});
