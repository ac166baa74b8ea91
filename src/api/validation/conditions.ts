import {
  type FieldError,
  duplicate,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../machinery/field-error.ts';
import type { Condition } from '../../machinery/meta/v1.gen.ts';
import { conditionReasonErrors, qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';

const longestReason = 1024;
const longestMessage = 32 * 1024;

function validateCondition(condition: Condition, field: string): FieldError[] {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason, message } = condition;
  const errors = invalidEach(`${field}.type`, type, qualifiedNameErrors(type));
  if (!['True', 'False', 'Unknown'].includes(status)) {
    errors.push(notSupported(`${field}.status`, status, ['False', 'True', 'Unknown']));
  }
  if (observedGeneration < 0) {
    const detail = 'must be greater than or equal to zero';
    errors.push(invalid(`${field}.observedGeneration`, observedGeneration, detail));
  }
  if (!lastTransitionTime) errors.push(required(`${field}.lastTransitionTime`));
  if (reason === '') errors.push(required(`${field}.reason`));
  else errors.push(...invalidEach(`${field}.reason`, reason, conditionReasonErrors(reason)));
  if (reason.length > longestReason) errors.push(tooLong(`${field}.reason`, longestReason));
  if (message.length > longestMessage) errors.push(tooLong(`${field}.message`, longestMessage));
  return errors;
}

/** Everything wrong with a list of `metav1.Condition`, whose types must differ. */
export function validateConditions(conditions: readonly Condition[], field: string): FieldError[] {
  const seen = new Set<string>();
  return conditions.flatMap((condition, index) => {
    const at = `${field}[${index}]`;
    const again = seen.has(condition.type);
    seen.add(condition.type);
    return [...(again ? [duplicate(`${at}.type`, condition.type)] : []), ...validateCondition(condition, at)];
  });
}
