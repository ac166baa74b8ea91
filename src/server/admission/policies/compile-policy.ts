import {
  compileExpression,
  type Declarations,
  expressionEnvironment,
} from '../../../api/admissionregistration/expression-environment.ts';
import type { MatchCondition, ParamKind, Variable } from '../../../api/admissionregistration/v1.gen.ts';
import { BOOL, type CelType, DYN } from '../../../machinery/cel/cel-type.ts';
import type { PolicyExpression } from './evaluate-expressions.ts';
import type { NewPace } from './expression-pace.ts';

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

/** Compiles a policy's conditions and variables. */
export function compileParts(
  spec: PolicyParts,
  patches: 'patches' | 'none',
  newPace: NewPace,
): CompiledParts {
  const declared = new Map<string, CelType>();
  const declarations: Declarations = {
    params: spec.paramKind !== undefined,
    authorizer: true,
    patches: patches === 'patches',
  };
  const compile: CompileFurther = (source, results, authorizer) => {
    const environment = expressionEnvironment({
      ...declarations,
      authorizer: authorizer === undefined,
      ...(spec.variables?.length ? { variables: declared } : {}),
    });
    return { source, compiled: compileExpression(source, environment, results), pace: newPace() };
  };
  const plain = expressionEnvironment({ ...declarations, patches: false });
  const conditions = (spec.matchConditions ?? []).map(({ expression }) => ({
    source: expression,
    compiled: compileExpression(expression, plain, [BOOL]),
    pace: newPace(),
  }));
  const variables = new Map<string, PolicyExpression>();
  for (const { name, expression } of spec.variables ?? []) {
    const variable = compile(expression, []);
    variables.set(name, variable);
    declared.set(name, 'program' in variable.compiled ? variable.compiled.program.type : DYN);
  }
  return { conditions, variables, compile };
}
