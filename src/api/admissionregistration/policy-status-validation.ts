import { type FieldError, required } from '../../machinery/field-error.ts';
import type { ValidatingAdmissionPolicy } from './v1.gen.ts';

/** Everything wrong with the status of a validating policy. */
export function validatePolicyStatus({ status }: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { fieldRef, warning }] of (status?.typeChecking?.expressionWarnings ?? []).entries()) {
    const at = `status.typeChecking.expressionWarnings[${index}]`;
    if (warning === '') errors.push(required(`${at}.warning`));
    if (fieldRef.trim() === '') errors.push(required(`${at}.fieldRef`));
  }
  return errors;
}
