import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import type { PolicyRule } from './v1.gen.ts';

/** Where a rule stands: rules of a namespaced role cannot name URLs. */
export type RuleScope = 'namespaced' | 'cluster';

/** Everything wrong with the rules of a role, in upstream's order. */
export function validateRules(rules: readonly PolicyRule[] | undefined, scope: RuleScope): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, scope, `rules[${index}]`));
}

function validateRule(rule: PolicyRule, scope: RuleScope, path: string): FieldError[] {
  const { verbs, apiGroups = [], resources = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if (empty(verbs)) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    if (scope === 'namespaced') {
      const detail = 'namespaced rules cannot apply to non-resource URLs';
      errors.push(invalid(`${path}.nonResourceURLs`, nonResourceURLs, detail));
    }
    if (apiGroups.length > 0 || resources.length > 0 || !empty(rule.resourceNames)) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(invalid(`${path}.nonResourceURLs`, nonResourceURLs, detail));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

function empty(list: readonly string[] | undefined): boolean {
  return (list ?? []).length === 0;
}
