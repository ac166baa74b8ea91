import { type FieldError, forbidden, invalid, required } from '../../../machinery/field-error.ts';
import type { LabelSelector } from '../../../machinery/meta/v1.gen.ts';
import { validateLabelSelector } from '../../../machinery/selectors/label-selector.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from '../../../machinery/validation/names.ts';
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';

const required_ = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

interface ValueCheck {
  /** Preferred terms may name values that no label can have. */
  readonly labelValues: 'any' | 'valid';
}

function validateExpression(
  requirement: NodeSelectorRequirement,
  field: string,
  check: ValueCheck,
): FieldError[] {
  const errors: FieldError[] = [];
  const { key, values = [] } = requirement;
  const operator: string = requirement.operator ?? '';
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbidden(`${field}.values`, detail));
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      errors.push(required(`${field}.values`, detail));
    }
  } else errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  errors.push(...invalidEach(`${field}.key`, key, qualifiedNameErrors(key)));
  if (check.labelValues === 'any') return errors;
  for (const [index, value] of values.entries()) {
    errors.push(...invalidEach(`${field}.values[${index}]`, value, labelValueErrors(value)));
  }
  return errors;
}

function validateNodeField(requirement: NodeSelectorRequirement, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const { key, values = [] } = requirement;
  const operator: string = requirement.operator ?? '';
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${field}.values`, detail));
  }
  if (key !== 'metadata.name')
    return [...errors, invalid(`${field}.key`, key, 'not a valid field selector key')];
  for (const [index, value] of values.entries()) {
    errors.push(...invalidEach(`${field}.values[${index}]`, value, dns1123SubdomainErrors(value)));
  }
  return errors;
}

function validateTerm(term: NodeSelectorTerm, field: string, check: ValueCheck): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((one, index) =>
      validateExpression(one, `${field}.matchExpressions[${index}]`, check),
    ),
    ...(term.matchFields ?? []).flatMap((one, index) =>
      validateNodeField(one, `${field}.matchFields[${index}]`),
    ),
  ];
}

/** A selector of nodes; its terms are alternatives, and there must be one. */
export function validateNodeSelector(selector: NodeSelector, field: string): FieldError[] {
  const terms = selector.nodeSelectorTerms ?? [];
  const at = `${field}.nodeSelectorTerms`;
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')];
  return terms.flatMap((term, index) => validateTerm(term, `${at}[${index}]`, { labelValues: 'valid' }));
}

function validateWeight(weight: number | undefined, field: string): FieldError[] {
  const given = weight ?? 0;
  return given > 0 && given <= 100 ? [] : [invalid(`${field}.weight`, given, 'must be in the range 1-100')];
}

function validateKeys(
  keys: readonly string[],
  field: string,
  selector: LabelSelector | undefined,
): FieldError[] {
  if (keys.length === 0) return [];
  if (!selector) return [forbidden(field, 'must not be specified when labelSelector is not set')];
  return keys.flatMap((key, index) => invalidEach(`${field}[${index}]`, key, qualifiedNameErrors(key)));
}

function validateMatchKeys(term: PodAffinityTerm, field: string): FieldError[] {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  const errors = [
    ...validateKeys(matchLabelKeys, `${field}.matchLabelKeys`, labelSelector),
    ...validateKeys(mismatchLabelKeys, `${field}.mismatchLabelKeys`, labelSelector),
  ];
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key);
    if (index >= 0 && selected.has(key)) {
      errors.push(invalid(`${field}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
    selected.add(key);
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue;
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys';
    errors.push(invalid(`${field}.matchLabelKeys[${index}]`, key, detail));
  }
  return errors;
}

function validatePodTerm(term: PodAffinityTerm | undefined, field: string): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces = [], topologyKey = '' } = term ?? {};
  return [
    ...validateLabelSelector(labelSelector, `${field}.labelSelector`),
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...namespaces.flatMap((name) => invalidEach(`${field}.namespace`, name, dns1123LabelErrors(name))),
    ...(term ? validateMatchKeys(term, field) : []),
    ...(topologyKey ? [] : [required(`${field}.topologyKey`, 'can not be empty')]),
    ...invalidEach(`${field}.topologyKey`, topologyKey, qualifiedNameErrors(topologyKey)),
  ];
}

function validatePodTerms(affinity: PodAffinity | undefined, field: string): FieldError[] {
  return [
    ...(affinity?.[required_] ?? []).flatMap((term, index) =>
      validatePodTerm(term, `${field}.${required_}[${index}]`),
    ),
    ...(affinity?.[preferred] ?? []).flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${field}.${preferred}[${index}]`;
      return [...validateWeight(weight, at), ...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`)];
    }),
  ];
}

/** Where a pod must or would rather be: relative to nodes and to other pods. */
export function validateAffinity(affinity: Affinity | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const node = affinity?.nodeAffinity;
  const must = node?.[required_];
  if (must) errors.push(...validateNodeSelector(must, `${field}.nodeAffinity.${required_}`));
  for (const [index, { weight, preference }] of (node?.[preferred] ?? []).entries()) {
    const at = `${field}.nodeAffinity.${preferred}[${index}]`;
    errors.push(...validateWeight(weight, at));
    errors.push(...validateTerm(preference ?? {}, `${at}.preference`, { labelValues: 'any' }));
  }
  return [
    ...errors,
    ...validatePodTerms(affinity?.podAffinity, `${field}.podAffinity`),
    ...validatePodTerms(affinity?.podAntiAffinity, `${field}.podAntiAffinity`),
  ];
}
