import { describe, expect, it } from 'vitest';
import type { Live } from '../../machinery/object.ts';
import { priorityClasses } from './priority-classes.ts';
import type { PriorityClass } from './v1.gen.ts';

function priorityClass(
  value: number,
  name: string = 'p',
  preemptionPolicy: string = 'Never',
): Live<PriorityClass> {
  const metadata = { name, uid: 'u', resourceVersion: '1', creationTimestamp: '' };
  return { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata, value, preemptionPolicy };
}

describe('priority classes', () => {
  it.each<[PriorityClass, string[]]>([
    [priorityClass(1_000_000_000), []],
    [
      priorityClass(1_000_000_001),
      ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
    ],
    [priorityClass(2_000_001_000, 'system-node-critical'), []],
    [
      priorityClass(1, 'system-mine'),
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
      ],
    ],
    [
      priorityClass(1, 'p', 'Odd'),
      ['preemptionPolicy: Unsupported value: "Odd": supported values: "PreemptLowerPriority", "Never"'],
    ],
  ])('validate %j', (object, errors) => {
    expect(priorityClasses.validate?.(object).map(({ field, message }) => `${field}: ${message}`)).toEqual(
      errors,
    );
  });

  it('keep value and policy', () => {
    const found =
      priorityClasses.validateUpdate?.(priorityClass(2, 'p', 'PreemptLowerPriority'), priorityClass(1)) ?? [];
    expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "PreemptLowerPriority": field is immutable',
    ]);
  });
});
