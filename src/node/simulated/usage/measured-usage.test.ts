import { expect, it } from 'vitest';
import type { Node, Pod } from '../../../api/core/v1.gen.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import type { Live } from '../../../machinery/object.ts';
import { measuredUsage } from './measured-usage.ts';

const meta = (name: string): Live<Pod>['metadata'] => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});

const node = (name: string): Live<Node> => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { ...meta(name), labels: { zone: 'a' } },
  spec: {},
});

const pod = (name: string, phase: 'Running' | 'Pending', ...containers: string[]): Live<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...meta(name), namespace: 'ns' },
  spec: { nodeName: 'n', containers: containers.map((one) => ({ name: one, image: 'i' })) },
  status: { phase },
});

it('measures running pods of which something is said, and their nodes', () => {
  const pods = [
    pod('two', 'Running', 'a', 'b'),
    pod('half', 'Running', 'a', 'silent'),
    pod('silent', 'Running', 'silent'),
    pod('waiting', 'Pending', 'a'),
  ];
  const source = measuredUsage({
    nodes: () => [node('n'), node('empty')],
    podsOn: (name) => (name === 'n' ? pods : []),
    usage: {
      containerUsage: (_, container, resource) =>
        container === 'silent' ? undefined : resource === 'cpu' ? 0.25 : 1024,
    },
    clock: new FakeClock(),
  });
  const each = { cpuNanocores: 250_000_000, memoryBytes: 1024 };
  expect(source.pods()).toMatchObject([
    {
      namespace: 'ns',
      pod: 'two',
      containers: [
        { name: 'a', ...each },
        { name: 'b', ...each },
      ],
    },
    { namespace: 'ns', pod: 'half', containers: [{ name: 'a', ...each }] },
  ]);
  expect(source.nodes()).toMatchObject([
    { node: 'n', labels: { zone: 'a' }, cpuNanocores: 750_000_000, memoryBytes: 3072 },
  ]);
});
