import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import { planPreemption } from './plan-preemption.ts';

/** `name cpu`, `name cpu priority`. */
function pod(text: string): Pod {
  const [name = '', cpu = '0', priority = '0'] = text.split(' ');
  const resources = cpu === '0' ? {} : { requests: { cpu } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { priority: Number(priority), containers: [{ name: 'c', resources }] },
  };
}

describe('who makes room for a critical pod', () => {
  it.each([
    ['nobody where there is room', 'x 1 2000000000', ['a 1'], []],
    ['the least important', 'x 1 2000000000', ['a 1 5', 'b 1 1', 'c 1 3', 'd 1 9'], ['b']],
    ['no more than needed', 'x 2 2000000000', ['a 1 1', 'b 2 2', 'c 1 3'], ['b']],
    ['no critical pods', 'x 2 2000000000', ['a 2 2000000000', 'b 2 1'], ['b']],
    ['nobody when it would not help', 'x 5 2000000000', ['a 1'], undefined],
    ['nobody for a pod that is not critical', 'x 4 1', ['a 1'], undefined],
  ])('%s', (_name, wanted, others, gone) => {
    const plan = planPreemption(pod(wanted), { others: others.map(pod), allocatable: { cpu: '4' } });
    expect(plan?.map(({ metadata }) => metadata.name)).toEqual(gone);
  });
});
