import { describe, expect, it } from 'vitest';
import type { Pod, Taint, Toleration } from '../../api/core/v1.gen.ts';
import { metSince, toleratedMs } from './plan.ts';

const pod = (tolerations: readonly Toleration[], scheduled?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [], tolerations },
  status: {
    conditions:
      scheduled === undefined
        ? []
        : [{ type: 'PodScheduled', status: 'True', lastTransitionTime: scheduled }],
  },
});
const taint = (key: string, rest: Partial<Taint> = {}): Taint => ({ key, effect: 'NoExecute', ...rest });
const forever = Number.POSITIVE_INFINITY;

describe('toleratedMs', () => {
  it.each<[string, readonly Toleration[], readonly Taint[], number]>([
    ['no taint', [], [], forever],
    ['taints that evict nobody', [], [taint('a', { effect: 'NoSchedule' })], forever],
    ['a taint that is not tolerated', [], [taint('a')], 0],
    ['one tolerated for ever', [{ key: 'a', operator: 'Exists' }], [taint('a')], forever],
    [
      'one tolerated for a time',
      [{ key: 'a', operator: 'Exists', tolerationSeconds: 7 }],
      [taint('a')],
      7000,
    ],
    ['no time at all', [{ key: 'a', operator: 'Exists', tolerationSeconds: -1 }], [taint('a')], 0],
    [
      'the shortest of several taints',
      [
        { key: 'a', operator: 'Exists', tolerationSeconds: 9 },
        { key: 'b', operator: 'Exists', tolerationSeconds: 4 },
      ],
      [taint('a'), taint('b')],
      4000,
    ],
    [
      'the first toleration of one taint',
      [
        { key: 'a', operator: 'Exists', tolerationSeconds: 9 },
        { operator: 'Exists', tolerationSeconds: 4 },
      ],
      [taint('a')],
      9000,
    ],
    ['everything', [{ operator: 'Exists' }], [taint('a'), taint('b')], forever],
    ['another effect', [{ operator: 'Exists', effect: 'NoSchedule' }], [taint('a')], 0],
    ['the same value', [{ key: 'a', value: 'x' }], [taint('a', { value: 'x' })], forever],
    ['another value', [{ key: 'a', value: 'x' }], [taint('a', { value: 'y' })], 0],
  ])('%s', (_, tolerations, taints, ms) => {
    expect(toleratedMs(pod(tolerations), taints)).toBe(ms);
  });
});

describe('metSince', () => {
  const noticed = Date.parse('2026-01-01T12:00:00Z');
  it.each<[string, string | undefined, string | undefined, string]>([
    ['the taint came later', '2026-01-01T10:00:00Z', '2026-01-01T11:00:00Z', '2026-01-01T11:00:00Z'],
    ['the pod came later', '2026-01-01T11:30:00Z', '2026-01-01T11:00:00Z', '2026-01-01T11:30:00Z'],
    ['the taint has no time', '2026-01-01T11:30:00Z', undefined, '2026-01-01T12:00:00Z'],
    ['the pod has no time', undefined, '2026-01-01T11:00:00Z', '2026-01-01T12:00:00Z'],
    ['clocks differ', '2026-01-01T11:00:00Z', '2026-01-01T13:00:00Z', '2026-01-01T12:00:00Z'],
  ])('%s', (_, scheduled, timeAdded, since) => {
    const taints = [taint('a', timeAdded === undefined ? {} : { timeAdded })];
    expect(metSince(pod([], scheduled), taints, noticed)).toBe(Date.parse(since));
  });
});
