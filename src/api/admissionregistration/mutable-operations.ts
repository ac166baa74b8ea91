import { type FieldError, notSupported } from '../../machinery/field-error.ts';
import type { RuleWithOperations } from './v1.gen.ts';

const mutable = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/** Refuses operations that nothing can be changed in, at the field where upstream reports them. */
export function validateMutableOperations(rules: readonly RuleWithOperations[], field: string): FieldError[] {
  return rules
    .flatMap(({ operations = [] }) => operations)
    .filter((operation) => !mutable.includes(operation))
    .map((operation) => notSupported(`${field}.resourceRules.operations`, operation, mutable));
}
