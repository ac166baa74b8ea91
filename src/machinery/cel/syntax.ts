import type { CelIssue } from './compile-error.ts';
import type { Token, Tokens } from './tokens.ts';

/** Thrown when the parser cannot go on; its issue is already recorded. */
export class SyntaxStop extends Error {}

/** What may start an operand, in the order of CEL's grammar. */
export const OPERAND_START: readonly string[] =
  `'[' '{' '(' '.' '-' '!' 'true' 'false' 'null' NUM_FLOAT NUM_INT NUM_UINT STRING BYTES IDENTIFIER`.split(
    ' ',
  );

const ORDER: readonly string[] =
  `'[' ']' '{' '}' '(' ')' '.' ',' '-' '!' '?' ':' 'true' 'false' 'null' NUM_FLOAT NUM_INT NUM_UINT STRING BYTES IDENTIFIER ESC_IDENTIFIER`.split(
    ' ',
  );

const KIND_NAMES: Readonly<Record<string, string>> = {
  float: 'NUM_FLOAT',
  int: 'NUM_INT',
  uint: 'NUM_UINT',
  string: 'STRING',
  bytes: 'BYTES',
  identifier: 'IDENTIFIER',
  escaped: 'ESC_IDENTIFIER',
  end: '<EOF>',
};

/** Reads tokens and reports what does not fit in ANTLR's words, as cel-go does. */
export interface SyntaxReader {
  readonly issues: CelIssue[];
  peek(ahead?: number): Token;
  /** Whether the next token is this punctuation or keyword. */
  at(text: string): boolean;
  take(): Token;
  /** Takes the token when it comes next. */
  accept(text: string): Token | undefined;
  /** Takes the token; one surplus token before it is dropped, one missing is made up when `after` allows it. */
  expect(text: string, after?: 'operator'): Token;
  /** Checks that one of `expected` comes next; drops one surplus token, else stops. */
  sync(expected: readonly string[]): void;
  /** Stops: no alternative fits the tokens from `from` on. */
  noAlternative(from: Token): never;
  fail(offset: number, message: string): never;
}

/** A reader over the tokens of one expression. */
export function syntaxReader({ tokens, issues: lexical }: Tokens, source: string): SyntaxReader {
  const issues = [...lexical];
  const points = Array.from(source);
  const last = tokens.at(-1) ?? { kind: 'end', text: '<EOF>', start: 0, end: 0 };
  let position = 0;

  const peek = (ahead = 0): Token => tokens[position + ahead] ?? last;
  const report = (token: Token, message: string): void => {
    issues.push({ offset: token.start, message: `Syntax error: ${message}` });
  };
  const stop = (token: Token, message: string): never => {
    report(token, message);
    throw new SyntaxStop(message);
  };
  const isText = (token: Token, text: string): boolean =>
    token.text === text && (token.kind === 'punctuation' || token.kind === 'keyword' || token.kind === 'end');
  const take = (): Token => {
    const token = peek();
    if (token.kind !== 'end') position++;
    return token;
  };

  const reader: SyntaxReader = {
    issues,
    peek,
    take,
    at: (text) => isText(peek(), text),
    accept: (text) => (isText(peek(), text) ? take() : undefined),
    expect(text, after) {
      const token = peek();
      if (isText(token, text)) return take();
      const name = text === '<EOF>' ? text : `'${text}'`;
      if (isText(peek(1), text) && token.kind !== 'end') {
        report(token, `extraneous input ${quoted(token)} expecting ${name}`);
        take();
        return take();
      }
      if (after === 'operator' && mayFollowOperand(token)) {
        report(token, `missing ${name} at ${quoted(token)}`);
        return { kind: 'punctuation', text, start: token.start, end: token.start };
      }
      return stop(token, `mismatched input ${quoted(token)} expecting ${name}`);
    },
    sync(expected) {
      const token = peek();
      if (expected.includes(symbolOf(token))) return;
      const sorted = ORDER.filter((name) => expected.includes(name));
      const names = sorted.length === 1 ? sorted[0] : `{${sorted.join(', ')}}`;
      if (token.kind !== 'end' && expected.includes(symbolOf(peek(1)))) {
        report(token, `extraneous input ${quoted(token)} expecting ${names}`);
        take();
        return;
      }
      stop(token, `mismatched input ${quoted(token)} expecting ${names}`);
    },
    noAlternative(from) {
      const token = peek();
      let text = '';
      for (const { start, end } of tokens.slice(tokens.indexOf(from), position + 1)) {
        const before = tokens.findLast((other) => other.end <= start)?.end ?? 0;
        // Characters that are no token are not part of the text, blanks are.
        const gap = start > from.start ? points.slice(before, start).join('') : '';
        text += gap.replaceAll(/\S/g, '') + points.slice(start, end).join('');
      }
      return stop(token, `no viable alternative at input '${escaped(text)}'`);
    },
    fail(offset, message) {
      issues.push({ offset, message });
      throw new SyntaxStop(message);
    },
  };
  return reader;
}

const FOLLOWERS = new Set([
  '==',
  '!=',
  'in',
  '<',
  '<=',
  '>=',
  '>',
  '&&',
  '||',
  '[',
  ']',
  '}',
  ')',
  '.',
  ',',
  '-',
]);
const MORE_FOLLOWERS = new Set(['?', ':', '+', '*', '/', '%']);

function mayFollowOperand(token: Token): boolean {
  if (token.kind === 'end') return true;
  if (token.kind !== 'punctuation' && token.kind !== 'keyword') return false;
  return FOLLOWERS.has(token.text) || MORE_FOLLOWERS.has(token.text);
}

/** The name of a token in ANTLR's lists of what it expected. */
function symbolOf(token: Token): string {
  return KIND_NAMES[token.kind] ?? `'${token.text}'`;
}

function quoted(token: Token): string {
  return `'${escaped(token.text)}'`;
}

function escaped(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
}
