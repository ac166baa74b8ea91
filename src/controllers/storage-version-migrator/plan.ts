import { timestamp } from '../../base/clock.ts';
import type { Condition } from '../../machinery/meta/v1.gen.ts';
import type { StorageVersionMigration } from '../../api/storagemigration/storage-version-migrations.ts';
import { isConditionTrue } from '../../reconcile/conditions.ts';

const reasons = {
  Running: 'StorageVersionMigrationInProgress',
  Succeeded: 'StorageVersionMigrationSucceeded',
  Failed: 'StorageVersionMigrationFailed',
} as const;

/** Whether there is nothing more to do. */
export function isOver({ status }: StorageVersionMigration): boolean {
  return isConditionTrue(status?.conditions, 'Succeeded') || isConditionTrue(status?.conditions, 'Failed');
}

/** The conditions of a migration that is now running, or has ended one way or the other. */
export function withOutcome(
  conditions: readonly Condition[],
  type: keyof typeof reasons,
  { message = '', now }: { readonly message?: string; readonly now: number },
): readonly Condition[] {
  if (isConditionTrue(conditions, type)) return conditions;
  const lastTransitionTime = timestamp(now);
  const kept = conditions
    .filter((condition) => condition.type !== type)
    .map((condition) =>
      condition.type === 'Running' ? { ...condition, status: 'False', lastTransitionTime } : condition,
    );
  return [...kept, { type, status: 'True', reason: reasons[type], message, lastTransitionTime }];
}
