import type { CelIssue } from './compile-error.ts';

export type TokenKind =
  | 'punctuation'
  | 'keyword'
  | 'float'
  | 'int'
  | 'uint'
  | 'string'
  | 'bytes'
  | 'identifier'
  | 'escaped'
  | 'end';

/** One token of an expression; `start` and `end` count code points. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  readonly issues: readonly CelIssue[];
}

const PAIRS = new Set(['==', '!=', '<=', '>=', '&&', '||']);
const SINGLES = new Set('<>[]{}().,-!?:+*/%');
const KEYWORDS = new Set(['in', 'true', 'false', 'null']);
const NUMBERS: readonly { readonly kind: TokenKind; readonly shape: RegExp }[] = [
  {
    kind: 'float',
    shape: /^(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)/,
  },
  { kind: 'uint', shape: /^(?:0x[0-9a-fA-F]+|[0-9]+)[uU]/ },
  { kind: 'int', shape: /^(?:0x[0-9a-fA-F]+|[0-9]+)/ },
];

/** Splits an expression as CEL's grammar does; what is no token becomes an issue and is skipped. */
export function tokenize(source: string): Tokens {
  const points = Array.from(source);
  const tokens: Token[] = [];
  const issues: CelIssue[] = [];
  let at = 0;
  while (at < points.length) {
    const skipped = skipBlank(points, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    const token = readToken(points, at);
    if (typeof token === 'number') {
      const text = points.slice(at, Math.min(token + 1, points.length)).join('');
      issues.push({ offset: at, message: `Syntax error: token recognition error at: '${printed(text)}'` });
      at = Math.min(token + 1, points.length);
    } else {
      tokens.push(token);
      at = token.end;
    }
  }
  tokens.push({ kind: 'end', text: '<EOF>', start: points.length, end: points.length });
  return { tokens, issues };
}

function printed(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
}

function skipBlank(points: readonly string[], at: number): number {
  const char = points[at];
  if (char === ' ' || char === '\t' || char === '\n' || char === '\r' || char === '\f') return at + 1;
  if (char !== '/' || points[at + 1] !== '/') return at;
  let end = at;
  while (end < points.length && points[end] !== '\n') end++;
  return end;
}

/** The token at `at`, or the place where the characters stop being one. */
function readToken(points: readonly string[], at: number): Token | number {
  const char = points[at] ?? '';
  const next = points[at + 1] ?? '';
  const quoted = readQuoted(points, at);
  if (typeof quoted === 'object') return quoted;
  if (/[A-Za-z_]/.test(char)) {
    let end = at + 1;
    while (/^[A-Za-z0-9_]$/.test(points[end] ?? '')) end++;
    const text = points.slice(at, end).join('');
    return { kind: KEYWORDS.has(text) ? 'keyword' : 'identifier', text, start: at, end };
  }
  if (quoted !== undefined) return quoted;
  if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(next))) return readNumber(points, at);
  if (PAIRS.has(char + next)) return { kind: 'punctuation', text: char + next, start: at, end: at + 2 };
  if (SINGLES.has(char)) return { kind: 'punctuation', text: char, start: at, end: at + 1 };
  if (char === '`') return readEscaped(points, at);
  return char === '=' || char === '&' || char === '|' ? at + 1 : at;
}

function readNumber(points: readonly string[], at: number): Token | number {
  const rest = points.slice(at, at + 400).join('');
  for (const { kind, shape } of NUMBERS) {
    const text = shape.exec(rest)?.[0];
    if (text !== undefined) return { kind, text, start: at, end: at + text.length };
  }
  return at;
}

function readEscaped(points: readonly string[], at: number): Token | number {
  let end = at + 1;
  while (/^[A-Za-z0-9_.\-/ ]$/.test(points[end] ?? '')) end++;
  if (points[end] !== '`' || end === at + 1) return end;
  return { kind: 'escaped', text: points.slice(at, end + 1).join(''), start: at, end: end + 1 };
}

/** A string or bytes literal; the place of the failure when it does not end; undefined when none starts here. */
function readQuoted(points: readonly string[], at: number): Token | number | undefined {
  let start = at;
  let isBytes = false;
  let isRaw = false;
  if (/[bB]/.test(points[start] ?? '')) {
    isBytes = true;
    start++;
  }
  if (/[rR]/.test(points[start] ?? '')) {
    isRaw = true;
    start++;
  }
  const quote = points[start];
  if (quote !== '"' && quote !== "'") return undefined;
  const kind: TokenKind = isBytes ? 'bytes' : 'string';
  const isTriple = points[start + 1] === quote && points[start + 2] === quote;
  const end = quotedEnd(points, { start: start + (isTriple ? 3 : 1), quote, isTriple, isRaw });
  if (end >= 0) return { kind, text: points.slice(at, end).join(''), start: at, end };
  if (isTriple) return { kind, text: points.slice(at, start + 2).join(''), start: at, end: start + 2 };
  return start > at ? undefined : -end - 1;
}

interface QuotedText {
  readonly start: number;
  readonly quote: string;
  readonly isTriple: boolean;
  readonly isRaw: boolean;
}

/** The place behind the closing quote, or `-1 - place` of the character that cannot continue the literal. */
function quotedEnd(points: readonly string[], { start, quote, isTriple, isRaw }: QuotedText): number {
  let at = start;
  while (at < points.length) {
    const char = points[at];
    if (char === quote) {
      if (!isTriple) return at + 1;
      if (points[at + 1] === quote && points[at + 2] === quote) return at + 3;
      at++;
    } else if (char === '\\' && !isRaw) {
      const length = escapeLength(points, at);
      if (length < 0) return -1 - (at - length);
      at += length;
    } else if (!isTriple && (char === '\n' || char === '\r')) {
      return -1 - at;
    } else {
      at++;
    }
  }
  return -1 - points.length;
}

const ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

/** How long the escape at `at` is; negative: minus the distance to the character that breaks it. */
function escapeLength(points: readonly string[], at: number): number {
  const char = points[at + 1] ?? '';
  if (char !== '' && 'abfnrtv"\'\\?`'.includes(char)) return 2;
  const hex = ESCAPE_DIGITS[char];
  const [first, count, shape] = hex === undefined ? [1, 3, /^[0-7]$/] : [2, hex, /^[0-9a-fA-F]$/];
  for (let index = 0; index < count; index++) {
    const digit = points[at + first + index] ?? '';
    if (!shape.test(digit) || (hex === undefined && index === 0 && !/[0-3]/.test(digit)))
      return -(first + index);
  }
  return first + count;
}
