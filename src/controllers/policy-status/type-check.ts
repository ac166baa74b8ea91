import {
  compileExpression,
  expressionEnvironment,
} from '../../api/admissionregistration/expression-environment.ts';
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from '../../api/admissionregistration/v1.gen.ts';
import { type CelType, DYN, type TypeProvider } from '../../machinery/cel/cel-type.ts';
import type { Kind } from './open-api-types.ts';

/** A resource that rules name without wildcards. */
export interface NamedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** Upstream checks no more kinds of a policy. */
export const mostKinds = 10;

/** The resources whose kinds a policy is checked against: rules with wildcards say nothing, nor do subresources. */
export function namedResources({ spec }: ValidatingAdmissionPolicy): NamedResource[] {
  return (spec.matchConstraints?.resourceRules ?? []).flatMap(resourcesOf);
}

function resourcesOf(rule: NamedRuleWithOperations): NamedResource[] {
  const groups = plain(rule.apiGroups);
  const versions = plain(rule.apiVersions);
  const resources = (rule.resources ?? []).filter((resource) => !/[*/]/.test(resource)).toSorted();
  return groups.flatMap((group) =>
    versions.flatMap((version) => resources.map((resource) => ({ group, version, resource }))),
  );
}

function plain(values: readonly string[] = []): string[] {
  return values.some((value) => value.includes('*')) ? [] : [...new Set(values)].toSorted();
}

/** A kind with the type of its objects. */
export interface TypedKind extends Kind {
  readonly type: CelType;
}

/** What a policy is checked with. */
export interface CheckTypes {
  readonly types: TypeProvider;
  readonly kinds: readonly TypedKind[];
  readonly params: CelType | undefined;
}

/** What of a policy's expressions does not fit the kinds that it is about (upstream's TypeChecker). */
export function checkPolicyTypes(
  policy: ValidatingAdmissionPolicy,
  checked: CheckTypes,
): ExpressionWarning[] {
  const warnings: ExpressionWarning[] = [];
  for (const [index, { expression, messageExpression }] of (policy.spec.validations ?? []).entries()) {
    const field = `spec.validations[${index}]`;
    const warn = (name: string, source: string | undefined): void => {
      const warning = source ? checkExpression(policy, source, checked) : '';
      if (warning !== '') warnings.push({ fieldRef: `${field}.${name}`, warning });
    };
    warn('expression', expression);
    warn('messageExpression', messageExpression);
  }
  return warnings;
}

function checkExpression(policy: ValidatingAdmissionPolicy, source: string, checked: CheckTypes): string {
  return checked.kinds
    .map(({ group, version, kind, type }) => {
      const error = failureFor(policy, source, { type, checked });
      return error === undefined ? '' : `${group}/${version}, Kind=${kind}: ${error}\n`;
    })
    .join('');
}

function failureFor(
  { spec }: ValidatingAdmissionPolicy,
  source: string,
  { type, checked }: { readonly type: CelType; readonly checked: CheckTypes },
): string | undefined {
  const variables = new Map<string, CelType>();
  const environment = (): ReturnType<typeof expressionEnvironment> =>
    expressionEnvironment({
      params: spec.paramKind !== undefined,
      authorizer: true,
      patches: false,
      ...(spec.variables?.length ? { variables } : {}),
      typed: {
        types: checked.types,
        variables: { object: type, oldObject: type, ...(checked.params ? { params: checked.params } : {}) },
      },
    });
  for (const { name, expression } of spec.variables ?? []) {
    const compiled = compileExpression(expression, environment(), []);
    variables.set(name, 'program' in compiled ? compiled.program.type : DYN);
  }
  const compiled = compileExpression(source, environment(), []);
  return 'error' in compiled ? compiled.error.replace(/^compilation failed: /, '') : undefined;
}
