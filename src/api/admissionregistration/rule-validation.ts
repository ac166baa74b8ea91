import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { validateLabelSelector } from '../../machinery/selectors/label-selector.ts';
import { pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import type { MatchResources, NamedRuleWithOperations, Rule, RuleWithOperations } from './v1.gen.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const matchPolicies = ['Equivalent', 'Exact'];

/** Everything wrong with one rule that says which requests are of interest. */
export function validateRule(rule: RuleWithOperations, field: string): FieldError[] {
  const named: readonly string[] = rule.operations ?? [];
  const errors: FieldError[] = [];
  if (named.length === 0) errors.push(required(`${field}.operations`));
  if (named.length > 1 && named.includes('*')) {
    errors.push(
      invalid(`${field}.operations`, named, "if '*' is present, must not specify other operations"),
    );
  }
  for (const [index, operation] of named.entries()) {
    if (operations.includes(operation)) continue;
    errors.push(notSupported(`${field}.operations[${index}]`, operation, operations));
  }
  return [...errors, ...validateTarget(rule, field)];
}

function validateTarget({ apiGroups, apiVersions, resources, scope }: Rule, field: string): FieldError[] {
  const errors = [
    ...validateWildcards(apiGroups ?? [], `${field}.apiGroups`, 'API groups'),
    ...validateWildcards(apiVersions ?? [], `${field}.apiVersions`, 'API versions'),
  ];
  for (const [index, version] of (apiVersions ?? []).entries()) {
    if (version === '') errors.push(required(`${field}.apiVersions[${index}]`));
  }
  errors.push(...validateResources(resources ?? [], `${field}.resources`));
  if (scope !== undefined && !scopes.includes(scope)) {
    errors.push(notSupported(`${field}.scope`, scope, scopes));
  }
  return errors;
}

function validateWildcards(values: readonly string[], field: string, noun: string): FieldError[] {
  if (values.length === 0) return [required(field)];
  if (values.length === 1 || !values.includes('*')) return [];
  return [invalid(field, values, `if '*' is present, must not specify other ${noun}`)];
}

function validateResources(resources: readonly string[], field: string): FieldError[] {
  if (resources.length === 0) return [required(field)];
  const errors: FieldError[] = [];
  const allSubresourcesOf = new Set<string>();
  const inAllResources = new Set<string>();
  let lastIsPlain = false;
  for (const [index, text] of resources.entries()) {
    const at = `${field}[${index}]`;
    if (text === '') {
      errors.push(required(at));
      continue;
    }
    const slash = text.indexOf('/');
    if (slash < 0) {
      lastIsPlain = text !== '*';
      continue;
    }
    const resource = text.slice(0, slash);
    const subresource = text.slice(slash + 1);
    if (allSubresourcesOf.has(resource)) {
      errors.push(invalid(at, text, `if '${resource}/*' is present, must not specify ${text}`));
    }
    if (inAllResources.has(subresource)) {
      errors.push(invalid(at, text, `if '*/${subresource}' is present, must not specify ${text}`));
    }
    if (subresource === '*') allSubresourcesOf.add(resource);
    if (resource === '*') inAllResources.add(subresource);
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (lastIsPlain && resources.includes('*')) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(field, resources, detail));
  }
  return errors;
}

/** Everything wrong with what a policy or a binding matches; `undefined` matches everything. */
export function validateMatchResources(match: MatchResources | undefined, field: string): FieldError[] {
  if (!match) return [];
  const errors = validateMatchPolicy(match.matchPolicy, `${field}.matchPolicy`);
  for (const name of ['namespaceSelector', 'objectSelector'] as const) {
    errors.push(...validateLabelSelector(match[name], `${field}.${name}`));
  }
  for (const name of ['resourceRules', 'excludeResourceRules'] as const) {
    for (const [index, rule] of (match[name] ?? []).entries()) {
      errors.push(...validateNamedRule(rule, `${field}.${name}[${index}]`));
    }
  }
  return errors;
}

/** Everything wrong with a `matchPolicy`. */
export function validateMatchPolicy(policy: string | undefined, field: string): FieldError[] {
  return policy === undefined || matchPolicies.includes(policy)
    ? []
    : [notSupported(field, policy, matchPolicies)];
}

function validateNamedRule(rule: NamedRuleWithOperations, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = rule.resourceNames ?? [];
  for (const [index, name] of names.entries()) {
    const at = `${field}.resourceNames[${index}]`;
    errors.push(...pathSegmentNameErrors(name).map((message) => invalid(at, name, message)));
    if (names.indexOf(name) < index) errors.push(duplicate(at, name));
  }
  return [...errors, ...validateRule(rule, field)];
}
