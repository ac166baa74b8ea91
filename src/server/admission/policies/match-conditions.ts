import {
  compileExpression,
  expressionEnvironment,
} from '../../../api/admissionregistration/expression-environment.ts';
import type { MatchCondition } from '../../../api/admissionregistration/v1.gen.ts';
import { BOOL } from '../../../machinery/cel/cel-type.ts';
import type { CelObserver } from '../../../machinery/cel/cel-observer.ts';
import type { Bindings } from '../../../machinery/cel/evaluate.ts';
import { aggregate } from '../../../machinery/status/errors.ts';
import { evaluateExpression, OutOfBudgetError, type PolicyExpression } from './evaluate-expressions.ts';
import type { NewPace } from './expression-pace.ts';
import { remoteExpression } from './remote-expression.ts';

/** What all conditions of one webhook or policy may cost together. */
const budget = 2_500_000;

/** What conditions say; an error counts only when no condition is false. */
export type ConditionsResult = { readonly matches: boolean } | { readonly error: string };

/** Compiles conditions, each set once for as long as the object that holds it lives. */
export function conditionCompiler(
  newPace: NewPace,
  observer?: CelObserver,
): (conditions: readonly MatchCondition[], params: 'params' | 'none') => readonly PolicyExpression[] {
  const known = new WeakMap<readonly MatchCondition[], readonly PolicyExpression[]>();
  return (conditions, params) => {
    const before = known.get(conditions);
    if (before) return before;
    const since = observer?.now() ?? 0;
    const environment = expressionEnvironment({
      params: params === 'params',
      authorizer: true,
      patches: false,
    });
    const compiled = conditions.map(({ expression }) => {
      const own = { source: expression, compiled: compileExpression(expression, environment, [BOOL]) };
      const remote = remoteExpression(own, { params: params === 'params', variables: new Map() });
      return { ...own, pace: newPace(remote) };
    });
    observer?.compiled(since);
    known.set(conditions, compiled);
    return compiled;
  };
}

/** Evaluates all conditions. */
export async function evaluateConditions(
  conditions: readonly PolicyExpression[],
  bindings: Bindings,
): Promise<ConditionsResult> {
  const left = { left: budget };
  const errors: string[] = [];
  try {
    for (const condition of conditions) {
      const result = await evaluateExpression(condition, bindings, left);
      if ('error' in result) errors.push(result.error);
      else if (result.value === false) return { matches: false };
    }
  } catch (error) {
    if (error instanceof OutOfBudgetError) return { error: error.message };
    throw error;
  }
  return errors.length > 0 ? { error: aggregate(errors) } : { matches: true };
}
