import type { CheckedExpression } from './check.ts';
import type { CelIssue } from './compile-error.ts';
import { CelEvaluationError, CelPendingError } from './evaluation-error.ts';
import type { CallExpression, Expression } from './expression.ts';

const CHECKED = new Set(['duration', 'timestamp', 'matches']);

/** Constant arguments of `duration`, `timestamp` and `matches` that could never be read, as cel-go's validators report them. */
export function checkLiterals(checked: CheckedExpression): CelIssue[] {
  const issues: CelIssue[] = [];
  visit(checked.root, (call) => {
    if (!CHECKED.has(call.name)) return;
    const argument = call.args.at(-1);
    const [overload] = checked.overloads.get(call.id) ?? [];
    if (argument?.kind !== 'literal' || typeof argument.value !== 'string' || !overload) return;
    const args = call.name === 'matches' ? ['', argument.value] : [argument.value];
    try {
      overload.run(...args);
    } catch (error) {
      if (error instanceof CelPendingError) return;
      if (!(error instanceof CelEvaluationError)) throw error;
      issues.push({ offset: argument.offset, message: `invalid ${call.name} argument` });
    }
  });
  return issues;
}

function visit(node: Expression, onCall: (call: CallExpression) => void): void {
  if (node.kind === 'call') onCall(node);
  for (const child of children(node)) visit(child, onCall);
}

/** The expressions directly inside another. */
export function children(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'select':
      return [node.operand];
    case 'call':
      return node.target ? [node.target, ...node.args] : node.args;
    case 'list':
      return node.items;
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return node.fields.map(({ value }) => value);
    case 'comprehension':
      return [node.range, node.init, node.condition, node.step, node.result];
    default:
      return [];
  }
}
