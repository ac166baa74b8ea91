import { JqError } from './jq-error.ts';
import { compareValues, describe, isJqObject, typeOf, type JqObject } from './jq-value.ts';

/** The value of an operator other than `and`, `or` and `//`. Throws {@link JqError}. */
export function operate(operator: string, a: unknown, b: unknown): unknown {
  switch (operator) {
    case '+':
      return plus(a, b);
    case '-':
      return minus(a, b);
    case '*':
      return times(a, b);
    case '/':
      return over(a, b);
    case '%':
      return modulo(a, b);
    case '==':
      return compareValues(a, b) === 0;
    case '!=':
      return compareValues(a, b) !== 0;
    case '<':
      return compareValues(a, b) < 0;
    case '<=':
      return compareValues(a, b) <= 0;
    case '>':
      return compareValues(a, b) > 0;
    default:
      return compareValues(a, b) >= 0;
  }
}

function cannot(what: string, a: unknown, b: unknown): JqError {
  return new JqError(`cannot ${what} ${describe(a)} and ${describe(b)}`);
}

function plus(a: unknown, b: unknown): unknown {
  if (typeOf(a) === 'null') return b;
  if (typeOf(b) === 'null') return a;
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (Array.isArray(a) && Array.isArray(b)) return [...(a as unknown[]), ...(b as unknown[])];
  if (isJqObject(a) && isJqObject(b)) return { ...a, ...b };
  throw cannot('add', a, b);
}

function minus(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (Array.isArray(a) && Array.isArray(b))
    return a.filter((item) => !b.some((other) => compareValues(item, other) === 0)) as unknown[];
  throw cannot('subtract', a, b);
}

function times(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (typeof a === 'string' && typeof b === 'number')
    return b > 0 ? a.repeat(Math.max(1, Math.floor(b))) : null;
  if (typeof b === 'string' && typeof a === 'number') return times(b, a);
  if (isJqObject(a) && isJqObject(b)) return mergeDeep(a, b);
  throw cannot('multiply', a, b);
}

function mergeDeep(a: JqObject, b: JqObject): JqObject {
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const held = merged[key];
    merged[key] = isJqObject(held) && isJqObject(value) ? mergeDeep(held, value) : value;
  }
  return merged;
}

function over(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') {
    if (b === 0) throw cannot('divide', a, b);
    return a / b;
  }
  if (typeof a === 'string' && typeof b === 'string') return a === '' ? [] : a.split(b);
  throw cannot('divide', a, b);
}

function modulo(a: unknown, b: unknown): unknown {
  if (typeof a !== 'number' || typeof b !== 'number') throw cannot('modulo', a, b);
  const divisor = Math.trunc(b);
  if (divisor === 0) throw cannot('modulo', a, b);
  const rest = Math.trunc(a) % Math.abs(divisor);
  return rest === 0 ? 0 : rest;
}
