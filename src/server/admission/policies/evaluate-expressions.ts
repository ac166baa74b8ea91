import type { Bindings } from '../../../machinery/cel/evaluate.ts';
import { evaluateWithChecks, type Outcome, type Program } from '../../../machinery/cel/program.ts';
import type { CelValue } from '../../../machinery/cel/value.ts';
import type { ExpressionPace } from './expression-pace.ts';

/** What is left for the expressions of one evaluation; lazily computed variables spend of it, too. */
export interface Budget {
  left: number;
}

/** One expression's result; an error is worded as upstream words it. */
export type Result = { readonly value: CelValue } | { readonly error: string };

/** Thrown when the budget of an evaluation is spent. */
export class OutOfBudgetError extends Error {
  override readonly name = 'OutOfBudgetError';

  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}

/** A compiled expression, or why there is none. */
export interface PolicyExpression {
  readonly source: string;
  readonly compiled: { readonly program: Program } | { readonly error: string };
  readonly pace?: ExpressionPace;
}

/** Evaluates one expression within the budget, when its pace lets it. Throws {@link OutOfBudgetError} and, of the pace, 429. */
export async function evaluateExpression(
  { source, compiled, pace }: PolicyExpression,
  bindings: Bindings,
  budget: Budget,
): Promise<Result> {
  if ('error' in compiled) return { error: `compilation error: ${compiled.error}` };
  const turn = pace?.turn();
  if (turn) await turn;
  const before = budget.left;
  const outcome = await spend(compiled.program, bindings, budget).finally(() =>
    pace?.ended(before - budget.left),
  );
  if ('error' in outcome) return { error: `expression '${source}' resulted in error: ${outcome.error}` };
  return { value: outcome.value };
}

/** Runs a program and charges the budget. Throws {@link OutOfBudgetError}. */
async function spend(program: Program, bindings: Bindings, budget: Budget): Promise<Outcome> {
  const outcome = await evaluateWithChecks(program, bindings);
  budget.left -= outcome.cost;
  if (budget.left < 0) throw new OutOfBudgetError();
  return outcome;
}
