import { type FieldError, forbidden, notSupported } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type PriorityClass, priorityclasses } from './v1.gen.ts';

/** The largest value of a class that is not the system's own. */
const HIGHEST_USER_PRIORITY = 1_000_000_000;

/** The classes that the server itself brings, with their values. */
export const SYSTEM_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
]);

/** Names for priorities of pods. */
export const priorityClasses: ResourceDefinition<PriorityClass> = defineResource<PriorityClass>({
  storage: 'v1',
  versions: {
    v1: { type: priorityclasses, schema: 'io.k8s.api.scheduling.v1.PriorityClass', defaults },
  },
  generation: true,
  generationChanged: () => false,
  validate,
  validateUpdate: (next, old) => [
    ...(next.value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...validateImmutable(next.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy'),
  ],
  columns: [
    nameColumn(),
    { name: 'Value', type: 'integer', cell: ({ value }) => value },
    { name: 'Global-Default', type: 'boolean', cell: ({ globalDefault = false }) => globalDefault },
    ageColumn(),
    { name: 'PreemptionPolicy', type: 'string', cell: ({ preemptionPolicy = '' }) => preemptionPolicy },
  ],
});

function defaults(priorityClass: DeepMutable<PriorityClass>): void {
  priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
}

function validate({ metadata, value, preemptionPolicy }: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '' } = metadata;
  if (name.startsWith('system-')) {
    const system = SYSTEM_PRIORITIES.get(name);
    const problem =
      system === undefined
        ? `${name} is not a known system priority class`
        : system === value
          ? ''
          : `value of ${name} PriorityClass must be ${system}`;
    if (problem !== '') {
      const detail = `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`;
      errors.push(forbidden('metadata.name', detail));
    }
  } else if (value > HIGHEST_USER_PRIORITY) {
    const detail = `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`;
    errors.push(forbidden('value', detail));
  }
  if (preemptionPolicy !== undefined && !['PreemptLowerPriority', 'Never'].includes(preemptionPolicy)) {
    errors.push(notSupported('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']));
  }
  return errors;
}
