import {
  compileExpression,
  type Declarations,
  expressionEnvironment,
} from '../../../api/admissionregistration/expression-environment.ts';
import type { MatchCondition, ParamKind, Variable } from '../../../api/admissionregistration/v1.gen.ts';
import { BOOL, type CelType, DYN } from '../../../machinery/cel/cel-type.ts';
import type { PolicyExpression } from './evaluate-expressions.ts';
import type { NewPace } from './expression-pace.ts';
import { remoteExpression } from './remote-expression.ts';

/** What every policy has. */
export interface PolicyParts {
  readonly paramKind?: ParamKind;
  readonly matchConditions?: readonly MatchCondition[];
  readonly variables?: readonly Variable[];
}

/** Compiles a policy's further expressions, which may name its variables. */
export type CompileFurther = (
  source: string,
  results: readonly CelType[],
  authorizer?: 'none',
) => PolicyExpression;

/** The part of a compiled policy that all kinds share. */
export interface CompiledParts {
  readonly conditions: readonly PolicyExpression[];
  /** In order; a variable may name those before it. */
  readonly variables: ReadonlyMap<string, PolicyExpression>;
  readonly compile: CompileFurther;
}

/** Compiles a policy's conditions and variables; without `newPace` its expressions are evaluated here and at once. */
export function compileParts(
  spec: PolicyParts,
  patches: 'patches' | 'none',
  newPace?: NewPace,
): CompiledParts {
  const declared = new Map<string, CelType>();
  const variables = new Map<string, PolicyExpression>();
  const params = spec.paramKind !== undefined;
  const declarations: Declarations = {
    params,
    authorizer: true,
    patches: patches === 'patches',
  };
  const compile: CompileFurther = (source, results, authorizer) => {
    const environment = expressionEnvironment({
      ...declarations,
      authorizer: authorizer === undefined,
      ...(spec.variables?.length ? { variables: declared } : {}),
    });
    const own = { source, compiled: compileExpression(source, environment, results) };
    const plain = patches === 'none' && results.length > 0;
    const remote = plain ? remoteExpression(own, { params, variables }) : undefined;
    return { ...own, ...(newPace && { pace: newPace(remote) }) };
  };
  const plain = expressionEnvironment({ ...declarations, patches: false });
  const conditions = (spec.matchConditions ?? []).map(({ expression }) => {
    const own = { source: expression, compiled: compileExpression(expression, plain, [BOOL]) };
    const remote = remoteExpression(own, { params, variables: new Map() });
    return { ...own, ...(newPace && { pace: newPace(remote) }) };
  });
  for (const { name, expression } of spec.variables ?? []) {
    const variable = compile(expression, []);
    variables.set(name, variable);
    declared.set(name, 'program' in variable.compiled ? variable.compiled.program.type : DYN);
  }
  return { conditions, variables, compile };
}
