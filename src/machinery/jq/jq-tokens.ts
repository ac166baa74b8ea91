import { JqError } from './jq-error.ts';

export interface JqToken {
  readonly type: 'number' | 'string' | 'name' | 'field' | 'variable' | 'format' | 'symbol' | 'end';
  readonly text: string;
  /** Of a string: its parts; a nested list of tokens is an interpolation. */
  readonly parts?: readonly (string | readonly JqToken[])[];
}

const symbols = [
  '?//=',
  '//=',
  '|=',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '==',
  '!=',
  '<=',
  '>=',
  '//',
  '..',
  '.',
  '|',
  ',',
  ':',
  ';',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '=',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '?',
];

/** The tokens of a jq expression. Throws {@link JqError}. */
export function jqTokens(source: string): JqToken[] {
  const scanner = { source, at: 0 };
  return [...scan(scanner, undefined), { type: 'end', text: '' }];
}

interface Scanner {
  readonly source: string;
  at: number;
}

/** Up to the end, or to the `)` that closes an interpolation. */
function scan(scanner: Scanner, until: ')' | undefined): JqToken[] {
  const tokens: JqToken[] = [];
  let depth = 0;
  while (scanner.at < scanner.source.length) {
    const rest = scanner.source.slice(scanner.at);
    const skipped = /^(?:\s+|#[^\n]*)/.exec(rest);
    if (skipped) {
      scanner.at += skipped[0].length;
      continue;
    }
    if (until && rest.startsWith(until) && depth === 0) return tokens;
    if (rest.startsWith('(')) depth++;
    if (rest.startsWith(')')) depth--;
    tokens.push(nextToken(scanner, rest));
  }
  if (until) throw new JqError('unterminated string interpolation');
  return tokens;
}

function nextToken(scanner: Scanner, rest: string): JqToken {
  if (rest.startsWith('"')) return textToken(scanner);
  const patterns: readonly (readonly [JqToken['type'], RegExp])[] = [
    ['field', /^\.[A-Za-z_]\w*/],
    ['number', /^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?/],
    ['variable', /^\$(?:__loc__|[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)/],
    ['format', /^@[A-Za-z_]\w*/],
    ['name', /^[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*/],
  ];
  for (const [type, pattern] of patterns) {
    const match = pattern.exec(rest);
    if (!match) continue;
    scanner.at += match[0].length;
    return { type, text: match[0] };
  }
  const symbol = symbols.find((one) => rest.startsWith(one));
  if (symbol === undefined) throw new JqError(`unexpected token ${JSON.stringify(rest[0])}`);
  scanner.at += symbol.length;
  return { type: 'symbol', text: symbol };
}

function textToken(scanner: Scanner): JqToken {
  const { source } = scanner;
  const parts: (string | readonly JqToken[])[] = [];
  let literal = '"';
  scanner.at++;
  const flush = (): void => {
    try {
      parts.push(JSON.parse(`${literal}"`) as string);
    } catch (error) {
      throw new JqError(`invalid string literal: ${error instanceof Error ? error.message : String(error)}`);
    }
    literal = '"';
  };
  for (;;) {
    const char = source[scanner.at];
    if (char === undefined) throw new JqError('unterminated string literal');
    if (char === '"') {
      scanner.at++;
      flush();
      return { type: 'string', text: '', parts };
    }
    if (char === '\\' && source[scanner.at + 1] === '(') {
      flush();
      scanner.at += 2;
      parts.push([...scan(scanner, ')'), { type: 'end', text: '' }]);
      scanner.at++;
      continue;
    }
    const piece = char === '\\' ? source.slice(scanner.at, scanner.at + 2) : char;
    literal += piece === '\n' ? '\\n' : piece === '\t' ? '\\t' : piece;
    scanner.at += piece.length;
  }
}
