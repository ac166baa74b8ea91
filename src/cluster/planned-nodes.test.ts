import { describe, expect, it } from 'vitest';
import { nextNode, planNodes, type NodesRequest, type PlannedNode } from './planned-nodes.ts';

const one: PlannedNode = { name: 'dev', index: 0, network: 'machine' };
const two: PlannedNode = { name: 'dev-2', index: 1, network: 'own' };
const extra: PlannedNode = { name: 'extra', index: 2, network: 'own' };

describe('the nodes that a cluster is to have', () => {
  it.each<[string, readonly PlannedNode[], Partial<NodesRequest>, readonly string[]]>([
    ['are one at first, on the machine', [], {}, ['dev 0 machine']],
    ['have networks of their own when they are several', [], { count: 2 }, ['dev 0 own', 'dev-2 1 own']],
    ['are those of last time when nothing is said', [one, extra], {}, ['dev 0 own', 'extra 2 own']],
    [
      'are the first of those of last time when there are to be fewer',
      [one, two, extra],
      { count: 1 },
      ['dev 0 machine'],
    ],
    [
      'fill the gaps when there are to be more',
      [one, extra],
      { count: 3 },
      ['dev 0 own', 'extra 2 own', 'dev-2 1 own'],
    ],
    [
      'stay where their containers may still run',
      [one, two],
      { former: 'may run' },
      ['dev 0 machine', 'dev-2 1 own'],
    ],
    ['run again when they were stopped', [{ ...one, stopped: true }], {}, ['dev 0 machine']],
    ['are none when none is wanted', [one], { count: 0 }, []],
  ])('%s', (_, known, request, expected) => {
    const nodes = planNodes(known, {
      cluster: 'dev',
      count: undefined,
      former: 'ended',
      limit: 10,
      ...request,
    });
    expect(nodes.map(({ name, index, network }) => `${name} ${index} ${network}`)).toEqual(expected);
    expect(nodes.some(({ stopped }) => stopped)).toBe(false);
  });

  it('are refused when the pod network has no room for them', () => {
    const request: NodesRequest = { cluster: 'dev', count: 3, former: 'ended', limit: 2 };
    expect(() => planNodes([], request)).toThrow('--nodes 3 is more than the pod network has room for: 2');
  });
});

it('names the next node by the first number that is free', () => {
  expect(nextNode([], 'dev')).toEqual({ name: 'dev', index: 0 });
  expect(nextNode([one, extra], 'dev')).toEqual({ name: 'dev-2', index: 1 });
  expect(nextNode([one, { name: 'dev-2', index: -1 }], 'dev')).toEqual({ name: 'dev-3', index: 2 });
});
