import { expect, it } from 'vitest';
import type { DeviceTaint, DeviceToleration, ResourceClaim } from '../../api/resource/v1.gen.ts';
import { evictionTime } from './plan.ts';

const added = Date.parse('2026-01-01T00:00:00Z');
const now = added + 60_000;
const broken: DeviceTaint = { key: 'broken', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' };

const claim = (tolerations: readonly DeviceToleration[]): ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'c' },
  spec: { devices: { requests: [] } },
  status: {
    allocation: {
      devices: { results: [{ driver: 'd', pool: 'p', device: 'x', request: 'r', tolerations }] },
    },
  },
});

it.each<[string, readonly DeviceToleration[], readonly DeviceTaint[], number | undefined]>([
  ['no taint', [], [], undefined],
  ['a taint that keeps others away', [], [{ ...broken, effect: 'NoSchedule' }], undefined],
  ['a taint for information', [], [{ ...broken, effect: 'None' }], undefined],
  ['a taint that is not tolerated', [], [broken], added],
  ['a taint without time', [], [{ key: 'broken', effect: 'NoExecute' }], now],
  ['tolerated for ever', [{ operator: 'Exists' }], [broken], undefined],
  [
    'tolerated for a time',
    [{ key: 'broken', operator: 'Exists', tolerationSeconds: 90 }],
    [broken],
    added + 90_000,
  ],
  [
    'the shortest toleration',
    [
      { operator: 'Exists', tolerationSeconds: 90 },
      { operator: 'Exists', tolerationSeconds: 9 },
    ],
    [broken],
    added + 9000,
  ],
  ['another value', [{ key: 'broken', operator: 'Equal', value: 'y' }], [broken], added],
  [
    'the first of several taints',
    [{ key: 'broken', operator: 'Exists', tolerationSeconds: 90 }],
    [broken, { ...broken, key: 'hot' }],
    added,
  ],
])('%s', (_, tolerations, taints, expected) => {
  const taintsOf = ({ device }: { device: string }): readonly DeviceTaint[] => (device === 'x' ? taints : []);
  expect(evictionTime(claim(tolerations), taintsOf, now)).toBe(expected);
});
