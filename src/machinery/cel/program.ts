import { checkExpression } from './check.ts';
import type { CheckEnvironment, CheckedExpression } from './check.ts';
import type { CelType } from './cel-type.ts';
import { CelCompileError } from './compile-error.ts';
import { costMeter, type CostMeter } from './cost-meter.ts';
import { CelCostError, CelEvaluationError, CelPendingError } from './evaluation-error.ts';
import { planEvaluation } from './evaluate.ts';
import type { Bindings, Evaluator } from './evaluate.ts';
import { checkLiterals } from './check-literals.ts';
import { parseCel } from './parse.ts';
import type { CelValue } from './value.ts';

/** What one expression may cost: upstream's limit of a single evaluation. */
export const PER_CALL_LIMIT = 1_000_000;

/** What all expressions evaluated for one object may cost together. */
export const RUNTIME_COST_BUDGET = 10_000_000;

/** How an evaluation ended. `cost` is what it spent, also when it failed. */
export type Outcome =
  | { readonly value: CelValue; readonly cost: number }
  /** `message` is cel-go's; `exceeded` says that the limit of a single evaluation stopped it. */
  | { readonly error: string; readonly exceeded: boolean; readonly cost: number };

/** A compiled expression. */
export interface Program {
  readonly source: string;
  readonly type: CelType;
  readonly checked: CheckedExpression;
  /** Whether the expression mentions this variable of its environment. */
  readonly uses: (variable: string) => boolean;
  /**
   * Evaluates with the variables' values. Never throws for what the expression does; `limit` is the most it may cost
   * ({@link PER_CALL_LIMIT} when absent), `rest` is called now and then while it takes long.
   */
  readonly evaluate: (bindings: Bindings, limit?: number, rest?: () => void) => Outcome;
}

/**
 * Parses and checks an expression. Throws `CelCompileError` whose message is what cel-go prints (`ERROR: <input>:1:1: …`).
 * Regular expressions in it are checked only once `loadPatterns` of the structural schemas has resolved; to evaluate them
 * before that, use {@link evaluateWithChecks}.
 */
export function compile(source: string, environment: CheckEnvironment): Program {
  const checked = checkExpression(parseCel(source), environment);
  const issues = checked.issues.length > 0 ? checked.issues : checkLiterals(checked);
  if (issues.length > 0) throw new CelCompileError(source, issues);
  let evaluator: Evaluator | undefined;
  return {
    source,
    type: checked.types.get(checked.root.id) ?? { kind: 'dyn' },
    checked,
    uses: (variable) => checked.variables.has(variable),
    evaluate(bindings, limit = PER_CALL_LIMIT, rest) {
      evaluator ??= planEvaluation(checked);
      return run(evaluator, bindings, costMeter(limit, rest));
    },
  };
}

function run(evaluator: Evaluator, bindings: Bindings, meter: CostMeter): Outcome {
  try {
    const value = evaluator(bindings, meter);
    return { value, cost: meter.spent };
  } catch (error) {
    if (error instanceof CelEvaluationError)
      return { error: error.message, exceeded: false, cost: meter.spent };
    if (error instanceof CelCostError) return { error: error.message, exceeded: true, cost: meter.spent };
    throw error;
  }
}

/** As {@link Program.evaluate}, for expressions that may use `authorizer`: waits for the decisions that they ask for. */
export async function evaluateWithChecks(
  program: Program,
  bindings: Bindings,
  limit?: number,
): Promise<Outcome> {
  for (;;) {
    try {
      return program.evaluate(bindings, limit);
    } catch (error) {
      if (!(error instanceof CelPendingError)) throw error;
      await error.prepare();
    }
  }
}
