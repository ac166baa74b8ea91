import { type FieldError, duplicate, invalid } from '../../machinery/field-error.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { validateItems } from './collections.ts';

const MAX_CONDITIONS = 4;

interface Binding {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** Conditions that a pod waits for, and conditions that say that waiting is in vain: both or none, and no name twice. */
export function validateBindingConditions(binding: Binding, field: string): FieldError[] {
  const { bindingConditions: wanted = [], bindingFailureConditions: failures = [] } = binding;
  const [success, failure] = [`${field}.bindingConditions`, `${field}.bindingFailureConditions`];
  const errors = [
    ...validateItems(wanted, { field: success, max: MAX_CONDITIONS }, nameErrors),
    ...validateItems(failures, { field: failure, max: MAX_CONDITIONS }, nameErrors),
    ...repeated(wanted, success),
    ...repeated(failures, failure),
  ];
  for (const [index, name] of failures.entries()) {
    if (!wanted.includes(name)) continue;
    const detail = 'bindingFailureConditions must not overlap with bindingConditions';
    errors.push(invalid(`${failure}[${index}]`, name, detail));
  }
  if (wanted.length === 0 && failures.length > 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(invalid(success, wanted, detail));
  }
  if (failures.length === 0 && wanted.length > 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(invalid(failure, failures, detail));
  }
  return errors;
}

function nameErrors(name: string, field: string): FieldError[] {
  return invalidEach(field, name, qualifiedNameErrors(name));
}

function repeated(names: readonly string[], field: string): FieldError[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [duplicate(`${field}[${index}]`, name)] : [],
  );
}
