import { BOOL, type CelType, DYN, listOf, NULL, STRING, structType } from '../../machinery/cel/cel-type.ts';
import type { CheckEnvironment } from '../../machinery/cel/check.ts';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from '../../machinery/validation/names.ts';
import { compileExpression, expressionEnvironment, expressionErrors } from './expression-environment.ts';
import { validateMatchConditions } from './match-condition-validation.ts';
import { validateMutableOperations } from './mutable-operations.ts';
import { validateMatchResources } from './rule-validation.ts';
import type {
  AuditAnnotation,
  MatchResources,
  MutatingAdmissionPolicy,
  Mutation,
  ParamKind,
  ValidatingAdmissionPolicy,
  Validation,
  Variable,
} from './v1.gen.ts';

const failurePolicies = ['Fail', 'Ignore'];
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const patchTypes = ['ApplyConfiguration', 'JSONPatch'];
const mostAnnotations = 20;
const longestAnnotation = 5 * 1024;
const neither = 'validations or auditAnnotations must contain at least one item';

type PolicySpec = Pick<
  ValidatingAdmissionPolicy['spec'],
  'failurePolicy' | 'paramKind' | 'matchConstraints' | 'matchConditions' | 'variables'
>;

/** Everything wrong with a validating policy, in upstream's order. */
export function validateValidatingPolicy(
  policy: ValidatingAdmissionPolicy,
  old?: ValidatingAdmissionPolicy,
): FieldError[] {
  const { spec, metadata } = policy;
  const scope = scopeOf(spec, false);
  const errors = validateCommon({ spec, old: old?.spec, scope });
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    return [...errors, required('spec.validations', neither), required('spec.auditAnnotations', neither)];
  }
  for (const [index, validation] of validations.entries()) {
    errors.push(...validateValidation(validation, `spec.validations[${index}]`, scope));
  }
  if (auditAnnotations.length > mostAnnotations) {
    const detail = `must not have more than ${mostAnnotations} auditAnnotations`;
    errors.push(invalid('spec.auditAnnotations', auditAnnotations, detail));
  }
  const keys = new Set<string>();
  for (const [index, annotation] of auditAnnotations.entries()) {
    const at = `spec.auditAnnotations[${index}]`;
    errors.push(...validateAnnotation(annotation, metadata.name ?? '', { at, scope }));
    if (keys.has(annotation.key)) errors.push(duplicate(`${at}.key`, annotation.key));
    keys.add(annotation.key);
  }
  return errors;
}

/** Everything wrong with a mutating policy, in upstream's order. */
export function validateMutatingPolicy(
  policy: MutatingAdmissionPolicy,
  old?: MutatingAdmissionPolicy,
): FieldError[] {
  const { spec } = policy;
  const scope = scopeOf(spec, true);
  const errors = validateCommon({ spec, old: old?.spec, scope }, (constraints) =>
    validateMutableOperations(constraints.resourceRules ?? [], 'spec.matchConstraints'),
  );
  const { mutations = [], reinvocationPolicy: reinvocation = '' } = spec;
  if (mutations.length === 0) {
    errors.push(required('spec.mutations', 'mutations must contain at least one item'));
  }
  for (const [index, mutation] of mutations.entries()) {
    errors.push(...validateMutation(mutation, `spec.mutations[${index}]`, scope));
  }
  if (reinvocation === '') errors.push(required('spec.reinvocationPolicy'));
  else if (reinvocation !== 'Never' && reinvocation !== 'IfNeeded') {
    errors.push(notSupported('spec.reinvocationPolicy', reinvocation, ['Never', 'IfNeeded']));
  }
  return errors;
}

/** The variables that later expressions may name. */
type Declared = Map<string, CelType>;

interface Scope {
  readonly params: boolean;
  readonly variables: Declared | undefined;
  readonly patches: boolean;
}

function scopeOf({ paramKind, variables = [] }: PolicySpec, patches: boolean): Scope {
  return {
    params: paramKind !== undefined,
    variables: variables.length > 0 ? new Map() : undefined,
    patches,
  };
}

function validateCommon(
  {
    spec,
    old,
    scope,
  }: { readonly spec: PolicySpec; readonly old: PolicySpec | undefined; readonly scope: Scope },
  constrain: (constraints: MatchResources) => FieldError[] = () => [],
): FieldError[] {
  const { failurePolicy, paramKind, matchConstraints, matchConditions = [], variables = [] } = spec;
  const errors: FieldError[] = [];
  if (failurePolicy === undefined) errors.push(required('spec.failurePolicy'));
  else if (!failurePolicies.includes(failurePolicy)) {
    errors.push(notSupported('spec.failurePolicy', failurePolicy, failurePolicies));
  }
  if (paramKind) errors.push(...validateParamKind(paramKind, 'spec.paramKind'));
  if (matchConstraints) {
    errors.push(...validateMatchResources(matchConstraints, 'spec.matchConstraints'));
    if (!matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'));
    errors.push(...constrain(matchConstraints));
  } else errors.push(required('spec.matchConstraints'));
  const same =
    old !== undefined &&
    jsonEqual(paramKind ?? {}, old.paramKind ?? {}) &&
    jsonEqual(matchConditions, old.matchConditions ?? []);
  if (!same) {
    const params = paramKind !== undefined;
    errors.push(...validateMatchConditions(matchConditions, 'spec.matchConditions', { params }));
  }
  for (const [index, variable] of variables.entries()) {
    errors.push(...validateVariable(variable, `spec.variables[${index}]`, scope));
  }
  return errors;
}

function validateParamKind({ apiVersion = '', kind = '' }: ParamKind, field: string): FieldError[] {
  const errors = validateApiVersion(apiVersion, `${field}.apiVersion`);
  if (kind === '') return [...errors, required(`${field}.kind`)];
  const wrong = dns1035LabelErrors(kind.toLowerCase());
  if (wrong.length === 0) return errors;
  const detail = `may have mixed case, but should otherwise match: ${wrong.join(',')}`;
  return [...errors, invalid(`${field}.kind`, kind, detail)];
}

function validateApiVersion(apiVersion: string, field: string): FieldError[] {
  if (apiVersion === '') return [required(field)];
  const parts = apiVersion.split('/');
  if (parts.length > 2) {
    return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  }
  const [version = '', group = ''] = parts.toReversed();
  const errors: FieldError[] = [];
  const wrongGroup = group === '' ? [] : dns1123SubdomainErrors(group);
  if (wrongGroup.length > 0) errors.push(invalid(field, group, wrongGroup.join(',')));
  if (version === '') return [...errors, invalid(field, apiVersion, 'version must be specified')];
  const wrongVersion = dns1035LabelErrors(version);
  if (wrongVersion.length > 0) errors.push(invalid(field, version, wrongVersion.join(',')));
  return errors;
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

function validateVariable({ name, expression }: Variable, field: string, scope: Scope): FieldError[] {
  const errors: FieldError[] = [];
  if (name.trim() === '') errors.push(required(`${field}.name`, 'name is not specified'));
  else if (!identifier.test(name) || reserved.has(name)) {
    errors.push(invalid(`${field}.name`, name, 'must be a valid CEL identifier'));
  }
  if (expression.trim() === '') {
    return [...errors, required(`${field}.expression`, 'expression is not specified')];
  }
  const compiled = compileExpression(expression, environmentOf(scope, 'authorizer'), []);
  scope.variables?.set(name, 'program' in compiled ? compiled.program.type : DYN);
  return [...errors, ...expressionErrors(`${field}.expression`, expression, compiled)];
}

function environmentOf(
  { params, variables, patches }: Scope,
  authorizer: 'authorizer' | 'none',
): CheckEnvironment {
  return expressionEnvironment({
    params,
    patches,
    authorizer: authorizer === 'authorizer',
    ...(variables ? { variables } : {}),
  });
}

function validateValidation(validation: Validation, field: string, scope: Scope): FieldError[] {
  const { expression, message = '', messageExpression = '', reason } = validation;
  const errors: FieldError[] = [];
  if (expression.trim() === '') {
    errors.push(required(`${field}.expression`, 'expression is not specified'));
  } else {
    const compiled = compileExpression(expression, environmentOf(scope, 'authorizer'), [BOOL]);
    errors.push(...expressionErrors(`${field}.expression`, expression, compiled));
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(invalid(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  } else if (messageExpression !== '') {
    const compiled = compileExpression(messageExpression, environmentOf(scope, 'none'), [STRING]);
    errors.push(...expressionErrors(`${field}.messageExpression`, messageExpression, compiled));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(invalid(`${field}.message`, message, 'must be non-empty if specified'));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(`${field}.message`, message, 'must not contain line breaks'));
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    errors.push(notSupported(`${field}.reason`, reason, reasons));
  }
  return errors;
}

function validateAnnotation(
  annotation: AuditAnnotation,
  policy: string,
  { at: field, scope }: { readonly at: string; readonly scope: Scope },
): FieldError[] {
  const { key, valueExpression } = annotation;
  const full = `${policy}/${key}`;
  const errors =
    policy === ''
      ? [invalid(`${field}.key`, key, 'requires metadata.name be non-empty')]
      : qualifiedNameErrors(full).map((message) => invalid(`${field}.key`, full, message));
  const at = `${field}.valueExpression`;
  const trimmed = valueExpression.trim();
  if (trimmed === '') return [...errors, required(at, 'valueExpression is not specified')];
  if (Buffer.byteLength(trimmed) > longestAnnotation) {
    return [...errors, required(at, `must not exceed ${longestAnnotation} bytes in length`)];
  }
  const compiled = compileExpression(trimmed, environmentOf(scope, 'authorizer'), [STRING, NULL]);
  return [...errors, ...expressionErrors(at, valueExpression, compiled)];
}

function validateMutation(mutation: Mutation, field: string, scope: Scope): FieldError[] {
  const type: string = mutation.patchType;
  if (!type) return [required(`${field}.patchType`)];
  if (!patchTypes.includes(type)) return [notSupported(`${field}.patchType`, type, patchTypes)];
  const [own, other] =
    type === 'JSONPatch'
      ? (['jsonPatch', 'applyConfiguration'] as const)
      : (['applyConfiguration', 'jsonPatch'] as const);
  const errors: FieldError[] = [];
  const patch = mutation[own];
  if (!patch) errors.push(required(`${field}.${own}`, `must be specified when patchType is ${type}`));
  else errors.push(...patchErrors(patch.expression ?? '', { at: `${field}.${own}.expression`, type, scope }));
  if (mutation[other]) {
    const detail = `must not be specified when patchType is ${type}`;
    errors.push(invalid(`${field}.${other}`, `{${other}}`, detail));
  }
  return errors;
}

function patchErrors(
  expression: string,
  { at, type, scope }: { readonly at: string; readonly type: string; readonly scope: Scope },
): FieldError[] {
  const trimmed = expression.trim();
  if (trimmed === '') return [required(at)];
  const wanted = type === 'JSONPatch' ? listOf(structType('JSONPatch')) : structType('Object');
  const compiled = compileExpression(trimmed, environmentOf(scope, 'authorizer'), [wanted]);
  return expressionErrors(at, trimmed, compiled);
}
