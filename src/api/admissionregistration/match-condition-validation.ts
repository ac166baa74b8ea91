import { duplicate, type FieldError, invalid, required, tooMany } from '../../machinery/field-error.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import type { MatchCondition } from './v1.gen.ts';

const mostConditions = 64;

/** How the expressions of conditions are checked. */
export interface ConditionRules {
  /** Whether `params` may be named. */
  readonly params: boolean;
  /** Expressions of the stored object, which stay allowed. */
  readonly known: ReadonlySet<string>;
}

/** The expressions of conditions. */
export function knownExpressions(conditions: readonly MatchCondition[]): ReadonlySet<string> {
  return new Set(conditions.map(({ expression }) => expression));
}

/** Everything wrong with the conditions of a webhook or policy, in upstream's order. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[],
  field: string,
  _rules: ConditionRules,
): FieldError[] {
  const errors: FieldError[] = [];
  if (conditions.length > mostConditions) errors.push(tooMany(field, conditions.length, mostConditions));
  const names = new Set<string>();
  for (const [index, { name, expression }] of conditions.entries()) {
    const at = `${field}[${index}]`;
    const trimmed = expression.trim();
    if (trimmed === '') errors.push(required(`${at}.expression`));
    if (name === '') {
      errors.push(required(`${at}.name`));
      continue;
    }
    errors.push(...qualifiedNameErrors(name).map((message) => invalid(`${at}.name`, name, message)));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
  }
  return errors;
}
