import { describe, expect, it } from 'vitest';
import type { Pod, PodSpec } from '../api/core/v1.gen.ts';
import { containerResources, largerLimits, podResources } from './container-resources.ts';

function pod(spec: Partial<PodSpec>): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {},
    spec: { containers: [{ name: 'c' }], ...spec },
    status: { qosClass: 'Burstable' },
  };
}

const half = { requests: { cpu: '100m', memory: '1Mi' }, limits: { cpu: '500m', memory: '2Mi' } };

describe('what a pod may use', () => {
  it.each([
    ['nothing said', pod({}), { cpuShares: 2 }],
    [
      'two containers',
      pod({
        containers: [
          { name: 'a', resources: half },
          { name: 'b', resources: half },
        ],
      }),
      { cpuShares: 204, cpuPeriod: 100_000, cpuQuota: 100_000, memoryLimitBytes: 4 * 1024 * 1024 },
    ],
    [
      'one of two unlimited',
      pod({ containers: [{ name: 'a', resources: half }, { name: 'b' }] }),
      { cpuShares: 102 },
    ],
    [
      'a larger init container',
      pod({
        initContainers: [{ name: 'i', resources: { requests: { cpu: '1' }, limits: { memory: '8Mi' } } }],
        containers: [{ name: 'a', resources: { limits: { memory: '2Mi' } } }],
      }),
      { cpuShares: 1024, memoryLimitBytes: 8 * 1024 * 1024 },
    ],
    [
      'the pod as a whole',
      pod({
        containers: [{ name: 'a', resources: half }, { name: 'b' }],
        resources: { limits: { memory: '3Mi' } },
      }),
      { cpuShares: 102, memoryLimitBytes: 3 * 1024 * 1024 },
    ],
    [
      'overhead',
      pod({ containers: [{ name: 'a', resources: half }], overhead: { cpu: '100m', memory: '1Mi' } }),
      { cpuShares: 204, cpuPeriod: 100_000, cpuQuota: 60_000, memoryLimitBytes: 3 * 1024 * 1024 },
    ],
  ])('%s', (_name, of, expected) => {
    expect(podResources(of)).toEqual(expected);
  });
});

it('limits a container without limits to what the pod may use', () => {
  const whole = pod({ resources: { limits: { memory: '3Mi' } } });
  expect(containerResources(whole, { name: 'c' }, 1024 ** 3)).toMatchObject({
    memoryLimitBytes: 3 * 1024 * 1024,
  });
});

it('lets both pass while a pod changes', () => {
  const small = { cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 10_000, memoryLimitBytes: 9 };
  const large = { cpuShares: 4, cpuPeriod: 100_000, cpuQuota: 20_000, memoryLimitBytes: 5 };
  expect(largerLimits(small, large)).toEqual({ ...small, cpuQuota: 20_000 });
  expect(largerLimits(small, { cpuShares: 2 })).toEqual({ cpuShares: 2, cpuPeriod: 100_000 });
});
