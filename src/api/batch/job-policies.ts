import {
  type FieldError,
  duplicate,
  invalid,
  notSupported,
  required,
  tooMany,
} from '../../machinery/field-error.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { invalidEach, nonNegative } from '../core/pod-spec/invalid-each.ts';
import { countIndexes, parseIndexRanges } from './index-ranges.ts';
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from './v1.gen.ts';

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const statuses = ['False', 'True', 'Unknown'];
const maxRules = 20;

/** An `Invalid value` error that does not repeat the value. */
export function invalidWithoutValue(field: string, detail: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${detail}` };
}

function validateExitCodes(
  requirement: PodFailurePolicyOnExitCodesRequirement,
  field: string,
  containers: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  const operator: string = requirement.operator ?? '';
  const { containerName, values } = requirement;
  if (!operator) errors.push(required(`${field}.operator`, 'valid values: ["In" "NotIn"]'));
  else if (!['In', 'NotIn'].includes(operator)) {
    errors.push(notSupported(`${field}.operator`, operator, ['In', 'NotIn']));
  }
  if (containerName !== undefined && !containers.includes(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${field}.containerName`, containerName, detail));
  }
  if (values.length === 0) errors.push(invalid(`${field}.values`, values, 'at least one value is required'));
  else if (values.length > 255) errors.push(tooMany(`${field}.values`, values.length, 255));
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) < index) errors.push(duplicate(`${field}.values[${index}]`, value));
    if (value === 0 && operator === 'In') {
      errors.push(invalid(`${field}.values[${index}]`, value, 'must not be 0 for the In operator'));
    }
  }
  if (values.some((value, index) => index > 0 && value < (values[index - 1] ?? value))) {
    errors.push(invalid(`${field}.values`, values, 'must be ordered'));
  }
  return errors;
}

function validateConditions({ onPodConditions = [] }: PodFailurePolicyRule, field: string): FieldError[] {
  if (onPodConditions.length > maxRules) return [tooMany(field, onPodConditions.length, maxRules)];
  return onPodConditions.flatMap(({ type, status }, index) => {
    const at = `${field}[${index}]`;
    const errors = type
      ? invalidEach(`${at}.type`, type, qualifiedNameErrors(type))
      : [required(`${at}.type`)];
    if (!status) errors.push(required(`${at}.status`, 'valid values: ["False" "True" "Unknown"]'));
    else if (!statuses.includes(status)) errors.push(notSupported(`${at}.status`, status, statuses));
    return errors;
  });
}

function validateRule(rule: PodFailurePolicyRule, at: string, spec: JobSpec): FieldError[] {
  const errors: FieldError[] = [];
  const action: string = rule.action ?? '';
  const containers = [...(spec.template.spec.initContainers ?? []), ...spec.template.spec.containers];
  const names = containers.map(({ name }) => name);
  const conditions = rule.onPodConditions?.length ?? 0;
  if (!action)
    errors.push(required(`${at}.action`, 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'));
  else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set'));
  } else if (!actions.includes(action)) errors.push(notSupported(`${at}.action`, action, actions));
  if (rule.onExitCodes) errors.push(...validateExitCodes(rule.onExitCodes, `${at}.onExitCodes`, names));
  errors.push(...validateConditions(rule, `${at}.onPodConditions`));
  if (rule.onExitCodes && conditions > 0) {
    const detail = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.push(invalidWithoutValue(at, detail));
  }
  if (!rule.onExitCodes && conditions === 0) {
    errors.push(invalidWithoutValue(at, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
  return errors;
}

/** Which failures of pods count, and which end the job. */
export function validateFailurePolicy(spec: JobSpec, field: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  return [
    ...(rules.length > maxRules ? [tooMany(`${field}.rules`, rules.length, maxRules)] : []),
    ...rules.flatMap((rule, index) => validateRule(rule, `${field}.rules[${index}]`, spec)),
  ];
}

function printedRules(rules: readonly SuccessPolicyRule[]): unknown {
  return {
    Rules: rules.map(({ succeededIndexes, succeededCount }) => ({
      SucceededIndexes: succeededIndexes ?? null,
      SucceededCount: succeededCount ?? null,
    })),
  };
}

function validateSuccessRule(rule: SuccessPolicyRule, at: string, completions: number): FieldError[] {
  const errors: FieldError[] = [];
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined) {
    errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  let listed: number | undefined;
  if (indexes !== undefined) {
    try {
      listed = countIndexes(parseIndexRanges(indexes, completions));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const detail = `error parsing succeededIndexes: ${error.message}`;
      errors.push(invalid(`${at}.succeededIndexes`, indexes, detail));
    }
  }
  if (count === undefined) return errors;
  errors.push(...nonNegative(`${at}.succeededCount`, count));
  if (count > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
    errors.push(invalid(`${at}.succeededCount`, count, detail));
  }
  if (listed !== undefined && count > listed) {
    const detail = `must be less than or equal to ${listed} (the number of indexes in the specified succeededIndexes field)`;
    errors.push(invalid(`${at}.succeededCount`, count, detail));
  }
  return errors;
}

/** Which successes of an indexed job are enough. */
export function validateSuccessPolicy(spec: JobSpec, field: string): FieldError[] {
  if (!spec.successPolicy) return [];
  const rules = spec.successPolicy.rules ?? [];
  if (spec.completionMode !== 'Indexed') {
    return [invalid(field, printedRules(rules), 'requires indexed completion mode')];
  }
  if (rules.length === 0) return [required(`${field}.rules`, 'at least one rules must be specified')];
  return [
    ...(rules.length > maxRules ? [tooMany(`${field}.rules`, rules.length, maxRules)] : []),
    ...rules.flatMap((rule, index) =>
      validateSuccessRule(rule, `${field}.rules[${index}]`, spec.completions ?? 0),
    ),
  ];
}
