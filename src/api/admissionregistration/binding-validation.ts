import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../machinery/field-error.ts';
import { validateLabelSelector } from '../../machinery/selectors/label-selector.ts';
import { dns1123SubdomainErrors, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { validateMutableOperations } from './mutable-operations.ts';
import { validateMatchResources } from './rule-validation.ts';
import type { MutatingAdmissionPolicyBinding, ParamRef, ValidatingAdmissionPolicyBinding } from './v1.gen.ts';

const actions = ['Audit', 'Deny', 'Warn'];

/** Everything wrong with a binding of a validating policy, in upstream's order. */
export function validateValidatingBinding({ spec }: ValidatingAdmissionPolicyBinding): FieldError[] {
  return [
    ...validatePolicyName(spec.policyName ?? '', 'spec.policyName'),
    ...validateParamRef(spec.paramRef, 'spec.paramRef'),
    ...validateMatchResources(spec.matchResources, 'spec.matchResources'),
    ...validateActions(spec.validationActions ?? [], 'spec.validationActions'),
  ];
}

/** Everything wrong with a binding of a mutating policy, in upstream's order. */
export function validateMutatingBinding({ spec }: MutatingAdmissionPolicyBinding): FieldError[] {
  return [
    ...validatePolicyName(spec.policyName ?? '', 'spec.policyName'),
    ...validateParamRef(spec.paramRef, 'spec.paramRef'),
    ...validateMatchResources(spec.matchResources, 'spec.matchResources'),
    ...validateMutableOperations(spec.matchResources?.resourceRules ?? [], 'spec.matchResources'),
  ];
}

function validatePolicyName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)];
  return dns1123SubdomainErrors(name).map((message) => invalid(field, name, message));
}

function validateParamRef(ref: ParamRef | undefined, field: string): FieldError[] {
  if (!ref) return [];
  const { name = '', selector, parameterNotFoundAction: action = '' } = ref;
  const errors = pathSegmentNameErrors(name).map((message) => invalid(`${field}.name`, name, message));
  const both = name !== '' && selector !== undefined;
  if (both) errors.push(forbidden(`${field}.name`, 'name and selector are mutually exclusive'));
  errors.push(...validateLabelSelector(selector, `${field}.selector`));
  if (both) errors.push(forbidden(`${field}.selector`, 'name and selector are mutually exclusive'));
  if (name === '' && !selector) errors.push(required(field, 'one of name or selector must be specified'));
  if (action === '') errors.push(required(`${field}.parameterNotFoundAction`));
  else if (action !== 'Deny' && action !== 'Allow') {
    errors.push(notSupported(`${field}.parameterNotFoundAction`, action, ['Deny', 'Allow']));
  }
  return errors;
}

function validateActions(given: readonly string[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, action] of given.entries()) {
    const at = `${field}[${index}]`;
    if (!actions.includes(action)) errors.push(notSupported(at, action, actions));
    if (given.indexOf(action) < index) errors.push(duplicate(at, action));
  }
  if (given.includes('Deny') && given.includes('Warn')) {
    const detail =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(field, given, detail));
  }
  if (given.length === 0) errors.push(required(field, 'at least one validation action is required'));
  return errors;
}
