import { expect, it } from 'vitest';
import { pods } from '../../api/core/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { resourcePatch } from './resource-patch.ts';
import { fromOffsets, toOffsets } from './time-offsets.ts';

const pod = (phase: string): KubeObject & { readonly status: object } => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n' },
  status: { phase },
});

it.each<[string, KubeObject | undefined, KubeObject | undefined, object | undefined]>([
  ['create', undefined, pod('Pending'), { template: pod('Pending') }],
  ['patch', pod('Pending'), pod('Running'), { template: { status: { phase: 'Running' } } }],
  ['delete', pod('Running'), undefined, {}],
  ['nothing', pod('Running'), pod('Running'), undefined],
])('records %s', (method, previous, object, expected) => {
  const found = resourcePatch({ type: pods, previous, object, ms: 1.5 });
  expect(found).toEqual(
    expected && {
      apiVersion: 'action.kwok.x-k8s.io/v1alpha1',
      kind: 'ResourcePatch',
      resource: { version: 'v1', resource: 'pods' },
      target: { name: 'p', namespace: 'n' },
      durationNanosecond: 1_500_000,
      method,
      ...expected,
    },
  );
});

it('times are offsets in a recording and times again later', () => {
  const start = Date.UTC(2026, 0, 1);
  const text = 'a: "2026-01-01T00:00:02Z"\nb: "2025-12-31T23:59:59.5Z"';
  const offsets = toOffsets(text, start);
  expect(offsets).toBe(
    'a: "$(time-offset-nanosecond 2000000000)"\nb: "$(time-offset-nanosecond -500000000)"',
  );
  expect(fromOffsets(offsets, start + 60_000)).toBe(
    'a: "2026-01-01T00:01:02.000000Z"\nb: "2026-01-01T00:00:59.500000Z"',
  );
});
