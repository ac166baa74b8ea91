import { expect, it } from 'vitest';
import { measurementsOf } from './remote-usage.ts';

const cpu = (usageNanoCores: number): object => ({ time: '2026-01-01T00:00:05Z', usageNanoCores });

it('reads what a kubelet has measured, and leaves out what it has not', () => {
  const found = measurementsOf(
    'far',
    {
      node: { cpu: cpu(5_000_000), memory: { workingSetBytes: 1024 } },
      pods: [
        {
          podRef: { name: 'web', namespace: 'default' },
          containers: [
            { name: 'main', cpu: cpu(7), memory: { workingSetBytes: 8 } },
            { name: 'new', memory: { workingSetBytes: 8 } },
          ],
        },
        { podRef: { name: 'fresh', namespace: 'default' }, containers: [{ name: 'main' }] },
      ],
    },
    { now: 0, labelsOf: (namespace, name) => ({ of: `${namespace}/${name}` }) },
  );
  const at = Date.UTC(2026, 0, 1, 0, 0, 5);
  expect(found).toEqual({
    node: [{ node: 'far', labels: {}, at, windowMs: 10_000, cpuNanocores: 5_000_000, memoryBytes: 1024 }],
    pods: [
      {
        namespace: 'default',
        pod: 'web',
        labels: { of: 'default/web' },
        at,
        windowMs: 10_000,
        containers: [{ name: 'main', cpuNanocores: 7, memoryBytes: 8 }],
      },
    ],
  });
});

it('has nothing to say of a kubelet that has just begun', () => {
  expect(measurementsOf('far', {}, { now: 0, labelsOf: () => ({}) })).toEqual({ node: [], pods: [] });
});
