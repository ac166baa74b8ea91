import { expect, it } from 'vitest';
import type { LeaseSpec } from '../../api/coordination/v1.gen.ts';
import { isExpired } from './controller.ts';

const now = Date.parse('2026-01-01T00:10:00Z');

it.each<[LeaseSpec, boolean]>([
  [{ renewTime: '2026-01-01T00:00:00.000000Z', leaseDurationSeconds: 3600 }, false],
  [{ renewTime: '2026-01-01T00:00:00.000000Z', leaseDurationSeconds: 599 }, true],
  [{ leaseDurationSeconds: 3600 }, true],
  [{ renewTime: '2026-01-01T00:00:00.000000Z' }, true],
])('%j: %s', (spec, expired) => {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l' },
    spec,
  } as const;
  expect(isExpired(lease, now)).toBe(expired);
});
