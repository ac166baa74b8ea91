import { newBadRequest } from '../status/errors.ts';
import { newRequirement, type Operator, type Requirement, type Selector, sorted } from './label-selector.ts';

type Kind =
  | 'end'
  | 'identifier'
  | 'in'
  | 'notin'
  | ','
  | '('
  | ')'
  | '!'
  | '='
  | '=='
  | '!='
  | '>'
  | '<'
  | 'error';

interface Token {
  readonly kind: Kind;
  readonly text: string;
}

const SPECIAL = new Set(['=', '!', '(', ')', ',', '>', '<']);
const KEYWORDS = new Set<string>(['in', 'notin']);
const SYMBOLS = new Set<string>(['(', ')', ',', '!', '=', '==', '!=', '>', '<']);
const OPERATORS: ReadonlyMap<Kind, Operator> = new Map<Kind, Operator>([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);

function tokens(text: string): Token[] {
  const result: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/[ \t\r\n]/.test(char)) {
      at += 1;
    } else if (SPECIAL.has(char)) {
      const start = at;
      while (at < text.length && SPECIAL.has(text.charAt(at))) at += 1;
      result.push(...symbols(text.slice(start, at)));
    } else {
      const start = at;
      while (at < text.length && !SPECIAL.has(text.charAt(at)) && !/[ \t\r\n]/.test(text.charAt(at))) at += 1;
      const word = text.slice(start, at);
      result.push({ kind: KEYWORDS.has(word) ? (word as 'in' | 'notin') : 'identifier', text: word });
    }
  }
  return result;
}

/** Cuts a run of special characters into the longest symbols, as upstream's lexer does. */
function symbols(run: string): Token[] {
  const result: Token[] = [];
  let rest = run;
  while (rest !== '') {
    const two = rest.slice(0, 2);
    const text = two.length === 2 && SYMBOLS.has(two) ? two : rest.slice(0, 1);
    result.push({ kind: text as Kind, text });
    rest = rest.slice(text.length);
  }
  return result;
}

class Failure extends Error {}

/** Reads the tokens; in places where a value is due, `in` and `notin` are plain words. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  look(values: 'as values' | 'as keys' = 'as keys'): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '' };
    return values === 'as values' && KEYWORDS.has(token.kind)
      ? { kind: 'identifier', text: token.text }
      : token;
  }

  take(values: 'as values' | 'as keys' = 'as keys'): Token {
    const token = this.look(values);
    this.#at += 1;
    return token;
  }
}

function readAll(reader: Reader): Requirement[] {
  const requirements: Requirement[] = [];
  for (;;) {
    const token = reader.look('as values');
    if (token.kind === 'end') return requirements;
    if (token.kind !== 'identifier' && token.kind !== '!') {
      throw new Failure(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(readRequirement(reader));
    const separator = reader.take();
    if (separator.kind === 'end') return requirements;
    if (separator.kind !== ',') {
      throw new Failure(`found '${separator.text}', expected: ',' or 'end of string'`);
    }
    const next = reader.look('as values');
    if (next.kind !== 'identifier' && next.kind !== '!') {
      throw new Failure(`found '${next.text}', expected: identifier after ','`);
    }
  }
}

function readRequirement(reader: Reader): Requirement {
  let negated = false;
  if (reader.look().kind === '!') {
    negated = true;
    reader.take();
  }
  const key = reader.take('as values');
  if (key.kind !== 'identifier') {
    throw new Failure(`unable to parse requirement: found '${key.text}', expected: identifier`);
  }
  const next = reader.look();
  if (negated || next.kind === 'end' || next.kind === ',') {
    return checked(key.text, negated ? '!' : 'exists', []);
  }
  const operator = OPERATORS.get(reader.take().kind);
  if (!operator) {
    throw new Failure(
      `unable to parse requirement: found '${next.text}', expected: in, notin, =, ==, !=, gt, lt`,
    );
  }
  const values = operator === 'in' || operator === 'notin' ? readSet(reader) : [readValue(reader)];
  return checked(key.text, operator, values);
}

function checked(key: string, operator: Operator, values: readonly string[]): Requirement {
  const requirement = newRequirement(key, operator, values);
  if ('error' in requirement) throw new Failure(`unable to parse requirement: ${requirement.error}`);
  return requirement;
}

function readValue(reader: Reader): string {
  const token = reader.look('as values');
  if (token.kind === 'end' || token.kind === ',') return '';
  reader.take();
  if (token.kind !== 'identifier') {
    throw new Failure(`unable to parse requirement: found '${token.text}', expected: identifier`);
  }
  return token.text;
}

/** `(a, b)`; an empty place between commas is the empty value. */
function readSet(reader: Reader): string[] {
  const open = reader.take('as values');
  if (open.kind !== '(') throw new Failure(`unable to parse requirement: found '${open.text}' expected: '('`);
  const first = reader.look('as values');
  if (first.kind === ')') {
    reader.take();
    return [''];
  }
  if (first.kind !== 'identifier' && first.kind !== ',') {
    throw new Failure(`unable to parse requirement: found '${first.text}', expected: ',', ')' or identifier`);
  }
  const values: string[] = [];
  let pending = '';
  for (;;) {
    const token = reader.take('as values');
    if (token.kind === 'identifier') {
      pending = token.text;
      const after = reader.look('as values');
      if (after.kind !== ',' && after.kind !== ')') {
        throw new Failure(`unable to parse requirement: found '${after.text}', expected: ',' or ')'`);
      }
    } else if (token.kind === ',' || token.kind === ')') {
      values.push(pending);
      pending = '';
      if (token.kind === ')') return values;
    } else {
      throw new Failure(`unable to parse requirement: found '${token.text}', expected: ',', or identifier`);
    }
  }
}

/** Reads the `labelSelector` parameter, set-based syntax included. Throws a BadRequest with upstream's wording. */
export function parseLabelSelector(text: string): Selector {
  try {
    return { requirements: sorted(readAll(new Reader(text))) };
  } catch (error) {
    if (error instanceof Failure) throw newBadRequest(error.message);
    throw error;
  }
}
