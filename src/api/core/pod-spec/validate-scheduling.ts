import {
  type FieldError,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import { validateLabelSelector } from '../../../machinery/selectors/label-selector.ts';
import { labelValueErrors, qualifiedNameErrors } from '../../../machinery/validation/names.ts';
import type { PodSchedulingGate, Toleration, TopologySpreadConstraint } from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** The effect of a taint or toleration. */
export function validateTaintEffect(effect: string, field: string): FieldError[] {
  return taintEffects.includes(effect) ? [] : [notSupported(field, effect, taintEffects)];
}

function validateOperator(toleration: Toleration, field: string): FieldError[] {
  const { value = '' } = toleration;
  const operator: string = toleration.operator ?? '';
  if (operator === '' || operator === 'Equal') {
    const messages = labelValueErrors(value);
    return messages.length > 0 ? [invalid(field, value, messages.join(';'))] : [];
  }
  if (operator === 'Lt' || operator === 'Gt') {
    return [notSupported(field, operator, ['Equal', 'Exists', 'Lt', 'Gt'])];
  }
  if (operator !== 'Exists') return [notSupported(field, operator, ['Equal', 'Exists'])];
  return value ? [invalid(field, value, "value must be empty when `operator` is 'Exists'")] : [];
}

/** Which taints a pod puts up with. */
export function validateTolerations(tolerations: readonly Toleration[], field: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => {
    const at = `${field}[${index}]`;
    const errors: FieldError[] = [];
    const { key, operator = '', effect = '', tolerationSeconds } = toleration;
    if (key) errors.push(...invalidEach(`${at}.key`, key, qualifiedNameErrors(key)));
    else if (operator !== 'Exists') {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(`${at}.operator`, operator, detail));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalid(`${at}.effect`, effect, detail));
    }
    errors.push(...validateOperator(toleration, `${at}.operator`));
    if (effect) errors.push(...validateTaintEffect(effect, `${at}.effect`));
    return errors;
  });
}

/** What must be removed before the scheduler looks at the pod. */
export function validateSchedulingGates(gates: readonly PodSchedulingGate[], field: string): FieldError[] {
  const seen = new Set<string>();
  return gates.flatMap(({ name }, index) => {
    const errors = invalidEach(`${field}[${index}]`, name, qualifiedNameErrors(name));
    if (seen.has(name)) errors.push(duplicate(`${field}[${index}]`, name));
    seen.add(name);
    return errors;
  });
}

function validateMatchKeys(constraint: TopologySpreadConstraint, field: string): FieldError[] {
  const { matchLabelKeys = [], labelSelector } = constraint;
  if (matchLabelKeys.length === 0) return [];
  const errors: FieldError[] = [];
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  const merged = new Set<string>();
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.indexOf(key);
    if (index >= 0 && (selected.has(key) || merged.has(key))) {
      errors.push(invalid(`${field}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
    merged.add(key);
  }
  if (!labelSelector) {
    errors.push(forbidden(`${field}.matchLabelKeys`, 'must not be specified when labelSelector is not set'));
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    errors.push(...invalidEach(`${field}.matchLabelKeys[${index}]`, key, qualifiedNameErrors(key)));
  }
  return errors;
}

function validateConstraint(constraint: TopologySpreadConstraint, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { maxSkew, minDomains, topologyKey } = constraint;
  const action: string = constraint.whenUnsatisfiable ?? '';
  if (maxSkew <= 0) errors.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
  if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
  if (!['DoNotSchedule', 'ScheduleAnyway'].includes(action)) {
    errors.push(notSupported(`${at}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']));
  }
  if (minDomains !== undefined) {
    if (minDomains <= 0) errors.push(invalid(`${at}.minDomains`, minDomains, 'must be greater than zero'));
    if (action !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
      errors.push(invalid(`${at}.minDomains`, minDomains, detail));
    }
  }
  return errors;
}

/** How pods of a kind are to be spread over zones, nodes and the like. */
export function validateSpreadConstraints(
  constraints: readonly TopologySpreadConstraint[],
  field: string,
): FieldError[] {
  return constraints.flatMap((constraint, index) => {
    const at = `${field}[${index}]`;
    const { topologyKey, whenUnsatisfiable } = constraint;
    const errors = validateConstraint(constraint, at);
    const again = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (again) {
      errors.push(
        duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`),
      );
    }
    for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy: string | undefined = constraint[name];
      if (policy !== undefined && !['Honor', 'Ignore'].includes(policy)) {
        errors.push(notSupported(`${at}.${name}`, policy, ['Honor', 'Ignore']));
      }
    }
    return [
      ...errors,
      ...validateMatchKeys(constraint, at),
      ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`),
    ];
  });
}
