import type { Bindings } from '../../../machinery/cel/evaluate.ts';
import {
  evaluateWithChecks,
  PER_CALL_LIMIT,
  type Outcome,
  type Program,
} from '../../../machinery/cel/program.ts';
import type { CelValue } from '../../../machinery/cel/value.ts';
import { LongEvaluationError, SHORT_COST } from '../../../machinery/validation-rules/evaluate-rules.ts';
import type { ExpressionPace } from './expression-pace.ts';
import { remoteValues } from './remote-expression.ts';

/** What is left for the expressions of one evaluation; lazily computed variables spend of it, too. */
export interface Budget {
  left: number;
  /** What variables cost that were computed; none is charged twice, wherever it is computed. */
  variables?: Map<string, number>;
  /** What a variable may cost here before the evaluation has to go on elsewhere. */
  slice?: number;
  /** Called now and then while variables are computed. */
  readonly rest?: () => void;
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
  const outcome = await spend({ program: compiled.program, pace }, bindings, budget);
  if ('error' in outcome) return { error: `expression '${source}' resulted in error: ${outcome.error}` };
  return { value: outcome.value };
}

/** Computes a variable that an expression names, within what it may cost here. */
export function evaluateVariable(
  name: string,
  program: Program,
  bindings: Bindings,
  budget: Budget,
): Outcome {
  const limit = Math.min(PER_CALL_LIMIT, budget.slice ?? Infinity);
  const outcome = program.evaluate(bindings, limit, budget.rest);
  if (limit < PER_CALL_LIMIT && 'error' in outcome && outcome.exceeded) throw new LongEvaluationError();
  chargeVariable(budget, name, outcome.cost);
  return outcome;
}

function chargeVariable(budget: Budget, name: string, cost: number): void {
  budget.variables ??= new Map();
  if (budget.variables.has(name)) return;
  budget.variables.set(name, cost);
  budget.left -= cost;
}

/** Runs a program where its pace lets it, and charges the budget. Throws {@link OutOfBudgetError}. */
async function spend(
  { program, pace }: { readonly program: Program; readonly pace: ExpressionPace | undefined },
  bindings: Bindings,
  budget: Budget,
): Promise<Outcome> {
  const elsewhere = pace?.elsewhere();
  let outcome: Outcome;
  if (elsewhere) {
    const short = await evaluateShortly(program, bindings, budget);
    outcome = short ?? (await evaluateRemotely(elsewhere, bindings, budget));
  } else {
    const turn = pace?.turn();
    if (turn) await turn;
    const before = budget.left;
    outcome = await evaluateWithChecks(program, bindings);
    pace?.ended(outcome.cost + before - budget.left);
  }
  budget.left -= outcome.cost;
  if (budget.left < 0) throw new OutOfBudgetError();
  return outcome;
}

/** Undefined when it takes longer. */
async function evaluateShortly(
  program: Program,
  bindings: Bindings,
  budget: Budget,
): Promise<Outcome | undefined> {
  budget.slice = SHORT_COST;
  try {
    const outcome = await evaluateWithChecks(program, bindings, SHORT_COST);
    return 'error' in outcome && outcome.exceeded ? undefined : outcome;
  } catch (error) {
    if (error instanceof LongEvaluationError) return undefined;
    throw error;
  } finally {
    delete budget.slice;
  }
}

async function evaluateRemotely(
  elsewhere: NonNullable<ReturnType<ExpressionPace['elsewhere']>>,
  bindings: Bindings,
  budget: Budget,
): Promise<Outcome> {
  const { outcome, variables } = await elsewhere(remoteValues(bindings));
  for (const [name, cost] of variables) chargeVariable(budget, name, cost);
  return outcome;
}
