import { BOOL, NULL, STRING } from '../../../machinery/cel/cel-type.ts';
import { viewJson } from '../../../machinery/cel/json-view.ts';
import { PER_CALL_LIMIT, type Program } from '../../../machinery/cel/program.ts';
import { loadPatterns } from '../../../machinery/structural/patterns.ts';
import { compileParts } from './compile-policy.ts';
import type { Budget, PolicyExpression } from './evaluate-expressions.ts';
import { withVariables } from './policy-variables.ts';
import type { RemoteExpression, RemoteOutcome, RemoteValues } from './remote-expression.ts';

/** One evaluation that is asked for of another thread. */
export interface ExpressionRequest {
  readonly expressionId: number;
  /** With the first request about it. */
  readonly expression?: RemoteExpression;
  readonly values: RemoteValues;
}

interface Compiled {
  readonly program: Program;
  readonly variables: ReadonlyMap<string, PolicyExpression>;
}

/** Evaluates expressions of policies, each compiled once; `rest` is called now and then meanwhile. */
export function expressionEvaluator(
  rest: () => void,
): (request: ExpressionRequest) => Promise<RemoteOutcome> {
  const known = new Map<number, Compiled>();
  return async ({ expressionId, expression, values }) => {
    await loadPatterns();
    if (expression) known.set(expressionId, compiled(expression));
    const found = known.get(expressionId);
    if (!found) throw new Error('an expression is not known');
    const costs = new Map<string, number>();
    const budget: Budget = { left: Infinity, variables: costs, rest };
    const views = new Map(Object.entries(values).map(([name, value]) => [name, viewJson(value)]));
    const bindings = withVariables(views, found.variables, budget);
    return { outcome: found.program.evaluate(bindings, PER_CALL_LIMIT, rest), variables: [...costs] };
  };
}

function compiled({ source, params, variables }: RemoteExpression): Compiled {
  const parts = compileParts(
    { ...(params && { paramKind: {} }), ...(variables.length > 0 && { variables }) },
    'none',
  );
  const { compiled } = parts.compile(source, [BOOL, STRING, NULL]);
  if ('error' in compiled) throw new Error(compiled.error);
  return { program: compiled.program, variables: parts.variables };
}
