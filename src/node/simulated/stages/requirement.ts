import type { StageRequirement } from '../kwok/stage.ts';
import { outputs, type StageLanguages } from './value-source.ts';

/** Compiles one `matchExpressions` entry. Throws when its expression or operator is wrong. */
export function compileRequirement(
  requirement: StageRequirement,
  languages: StageLanguages,
): (object: unknown) => boolean {
  const condition = requirement.cel?.expression ?? requirement.expression;
  if (condition !== undefined) {
    const evaluate = languages.cel().compile(condition);
    return (object) => evaluate({ self: object }).isTrue();
  }
  const { key = '.', operator = '', values = [] } = requirement.jq ?? requirement;
  const query = languages.jq(key);
  switch (operator) {
    case 'In':
    case 'NotIn': {
      if (values.length === 0) throw new Error(`operator ${operator} of ${key} needs values`);
      const wanted = new Set(values);
      const isIn = operator === 'In';
      return (object) => (outputs(query.run, object) ?? []).some((value) => isOneOf(value, wanted)) === isIn;
    }
    case 'Exists':
    case 'DoesNotExist': {
      if (values.length > 0) throw new Error(`operator ${operator} of ${key} takes no values`);
      const exists = operator === 'Exists';
      return (object) => (outputs(query.run, object) ?? []).some((value) => value !== null) === exists;
    }
    default:
      throw new Error(`operator ${JSON.stringify(operator)} of ${key} is not supported`);
  }
}

function isOneOf(value: unknown, wanted: ReadonlySet<string>): boolean {
  if (typeof value === 'string') return wanted.has(value);
  return (typeof value === 'boolean' || Number.isInteger(value)) && wanted.has(String(value));
}
