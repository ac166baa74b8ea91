import { expect, it } from 'vitest';
import type { PersistentVolumeClaimStatus } from '../../api/core/v1.gen.ts';
import { wantsToGrow } from './plan.ts';

it.each<[string, PersistentVolumeClaimStatus, boolean]>([
  ['2Gi', { phase: 'Bound', capacity: { storage: '1Gi' } }, true],
  ['1Gi', { phase: 'Bound', capacity: { storage: '1024Mi' } }, false],
  ['1Gi', { phase: 'Bound', capacity: { storage: '5Gi' } }, false],
  ['2Gi', { phase: 'Pending' }, false],
  ['2Gi', { phase: 'Bound' }, false],
])('a request of %s with %j', (storage, status, expected) => {
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c' },
    spec: { resources: { requests: { storage } } },
    status,
  } as const;
  expect(wantsToGrow(claim)).toBe(expected);
});
