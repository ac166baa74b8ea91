import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { labelValueErrors, qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { validateItems } from './collections.ts';
import type { DeviceTaint, DeviceToleration } from './v1.gen.ts';

const MAX_TOLERATIONS = 16;
const MAX_TAINTS = 16;
const effects = ['NoExecute', 'NoSchedule', 'None'];
const operators = ['Equal', 'Exists'];

/** A toleration without an operator compares. */
export function defaultTolerations(tolerations: DeepMutable<DeviceToleration>[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= 'Equal';
}

/** Everything wrong with the taints that a request puts up with. */
export function validateDeviceTolerations(
  tolerations: readonly DeviceToleration[] | undefined,
  field: string,
): FieldError[] {
  return validateItems(tolerations, { field, max: MAX_TOLERATIONS }, validateToleration);
}

function validateToleration(toleration: DeviceToleration, field: string): FieldError[] {
  const { key, value = '' } = toleration;
  const operator: string = toleration.operator ?? '';
  const effect: string = toleration.effect ?? '';
  const errors = key ? invalidEach(`${field}.key`, key, qualifiedNameErrors(key)) : [];
  if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(`${field}.value`, value, 'must be empty for operator `Exists`'));
  } else if (operator === 'Equal') {
    errors.push(...invalidEach(`${field}.value`, value, labelValueErrors(value)));
  } else if (operator === '') errors.push(required(`${field}.operator`));
  else errors.push(notSupported(`${field}.operator`, operator, operators));
  if (effect !== '' && !effects.includes(effect)) {
    errors.push(notSupported(`${field}.effect`, effect, effects));
  }
  return errors;
}

/** Everything wrong with the taints of a device. */
export function validateDeviceTaints(
  taints: readonly DeviceTaint[] | undefined,
  field: string,
): FieldError[] {
  return validateItems(taints, { field, max: MAX_TAINTS }, (taint, path) => {
    const { key, value } = taint;
    const effect: string = taint.effect;
    const errors = invalidEach(`${path}.key`, key, qualifiedNameErrors(key));
    if (value) errors.push(...invalidEach(`${path}.value`, value, labelValueErrors(value)));
    if (effect === '') errors.push(required(`${path}.effect`));
    else if (!effects.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, effects));
    return errors;
  });
}
