import { duplicate, type FieldError, invalid, required, tooMany } from '../../machinery/field-error.ts';
import { BOOL } from '../../machinery/cel/cel-type.ts';
import { compileExpression, expressionEnvironment, expressionErrors } from './expression-environment.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import type { MatchCondition } from './v1.gen.ts';

const mostConditions = 64;

/** How the expressions of conditions are checked. */
export interface ConditionRules {
  /** Whether `params` may be named. */
  readonly params: boolean;
}

function conditionErrors(expression: string, field: string, { params }: ConditionRules): FieldError[] {
  const environment = expressionEnvironment({ params, authorizer: true, patches: false });
  return expressionErrors(field, expression, compileExpression(expression, environment, [BOOL]));
}

/** Everything wrong with the conditions of a webhook or policy, in upstream's order. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[],
  field: string,
  rules: ConditionRules,
): FieldError[] {
  const errors: FieldError[] = [];
  if (conditions.length > mostConditions) errors.push(tooMany(field, conditions.length, mostConditions));
  const names = new Set<string>();
  for (const [index, { name, expression }] of conditions.entries()) {
    const at = `${field}[${index}]`;
    const trimmed = expression.trim();
    if (trimmed === '') errors.push(required(`${at}.expression`));
    else errors.push(...conditionErrors(trimmed, `${at}.expression`, rules));
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
