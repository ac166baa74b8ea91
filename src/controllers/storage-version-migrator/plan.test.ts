import { expect, it } from 'vitest';
import { isOver, withOutcome } from './plan.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const lastTransitionTime = '2026-01-01T00:00:00Z';
const running = {
  type: 'Running',
  status: 'True',
  reason: 'StorageVersionMigrationInProgress',
  message: '',
  lastTransitionTime: '2025-01-01T00:00:00Z',
};

it('a migration runs, and then does no longer', () => {
  const started = withOutcome([], 'Running', { now });
  const done = withOutcome([running], 'Succeeded', { now });
  const failed = withOutcome([], 'Failed', { message: 'why', now });
  expect([started, done, failed]).toEqual([
    [{ ...running, lastTransitionTime }],
    [
      { ...running, status: 'False', lastTransitionTime },
      {
        type: 'Succeeded',
        status: 'True',
        reason: 'StorageVersionMigrationSucceeded',
        message: '',
        lastTransitionTime,
      },
    ],
    [
      {
        type: 'Failed',
        status: 'True',
        reason: 'StorageVersionMigrationFailed',
        message: 'why',
        lastTransitionTime,
      },
    ],
  ]);
  expect(withOutcome(done, 'Succeeded', { now: 0 })).toBe(done);
  const migration = (conditions: typeof done) =>
    ({
      apiVersion: 'storagemigration.k8s.io/v1beta1',
      kind: 'StorageVersionMigration',
      metadata: { name: 'm' },
      spec: { resource: { group: '', resource: 'pods' } },
      status: { conditions },
    }) as const;
  expect([started, done, failed].map((conditions) => isOver(migration(conditions)))).toEqual([
    false,
    true,
    true,
  ]);
});
