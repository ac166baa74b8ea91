import { type FieldError, invalid } from '../../machinery/field-error.ts';
import { nonNegative } from './pod-spec/invalid-each.ts';

const counters = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'terminatingReplicas',
  'observedGeneration',
] as const;

/** What the status of a replica set or of a replication controller counts; the latter has no `terminatingReplicas`. */
export type ReplicaCounts = Readonly<Partial<Record<(typeof counters)[number], number>>>;

/** Counts are not negative, none is above all replicas, and no more are available than ready. */
export function validateReplicaCounts(status: ReplicaCounts = {}): FieldError[] {
  const errors = counters.flatMap((name) => nonNegative(`status.${name}`, status[name] ?? 0));
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const name of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[name] ?? 0;
    if (value > replicas)
      errors.push(invalid(`status.${name}`, value, 'cannot be greater than status.replicas'));
  }
  if (availableReplicas > readyReplicas) {
    errors.push(
      invalid('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'),
    );
  }
  return errors;
}
