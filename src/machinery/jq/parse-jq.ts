import { JqError } from './jq-error.ts';
import type { JqNode, JqOperator, JqPattern } from './jq-node.ts';
import { jqTokens, type JqToken } from './jq-tokens.ts';

/** Parses a jq expression. Throws {@link JqError}. */
export function parseJq(source: string): JqNode {
  return parseAll(jqTokens(source));
}

function parseAll(tokens: readonly JqToken[]): JqNode {
  const parser = new JqParser(tokens);
  const node = parser.pipe();
  parser.end();
  return node;
}

const identity: JqNode = { type: 'identity' };
const keywords = new Set([
  'def',
  'if',
  'then',
  'elif',
  'else',
  'end',
  'as',
  'reduce',
  'foreach',
  'try',
  'catch',
  'label',
  'and',
  'or',
  'import',
  'include',
  '__loc__',
]);

/** Operators by how tightly they bind; those of one row do not mix unless they are left-associative. */
const levels: readonly {
  readonly operators: readonly string[];
  readonly associates: 'left' | 'right' | 'none';
}[] = [
  { operators: ['//'], associates: 'right' },
  { operators: ['=', '|=', '+=', '-=', '*=', '/=', '%=', '//='], associates: 'none' },
  { operators: ['or'], associates: 'left' },
  { operators: ['and'], associates: 'left' },
  { operators: ['==', '!=', '<', '<=', '>', '>='], associates: 'none' },
  { operators: ['+', '-'], associates: 'left' },
  { operators: ['*', '/', '%'], associates: 'left' },
];

class JqParser {
  readonly #tokens: readonly JqToken[];
  #at = 0;

  constructor(tokens: readonly JqToken[]) {
    this.#tokens = tokens;
  }

  end(): void {
    const token = this.#peek();
    if (token.type !== 'end') throw new JqError(`unexpected token ${JSON.stringify(token.text)}`);
  }

  pipe(): JqNode {
    if (this.#isName('def')) return this.#define();
    if (this.#isName('label')) return this.#label();
    const left = this.#comma();
    if (this.#takeName('as')) return this.#bind(left);
    return this.#take('|') ? { type: 'pipe', left, right: this.pipe() } : left;
  }

  #peek(ahead = 0): JqToken {
    return this.#tokens[this.#at + ahead] ?? { type: 'end', text: '' };
  }

  #is(symbol: string): boolean {
    const token = this.#peek();
    return token.type === 'symbol' && token.text === symbol;
  }

  #isName(name: string): boolean {
    const token = this.#peek();
    return token.type === 'name' && token.text === name;
  }

  #take(symbol: string): boolean {
    const found = this.#is(symbol);
    if (found) this.#at++;
    return found;
  }

  #takeName(name: string): boolean {
    const found = this.#isName(name);
    if (found) this.#at++;
    return found;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) this.#unexpected(symbol);
  }

  #expectName(name: string): void {
    if (!this.#takeName(name)) this.#unexpected(name);
  }

  #unexpected(wanted: string): never {
    const token = this.#peek();
    const found = token.type === 'end' ? 'the end' : JSON.stringify(token.text);
    throw new JqError(`unexpected ${found}, expected ${JSON.stringify(wanted)}`);
  }

  #define(): JqNode {
    this.#expectName('def');
    const name = this.#peek().text;
    this.#at++;
    const parameters: string[] = [];
    if (this.#take('(')) {
      do {
        parameters.push(this.#peek().text);
        this.#at++;
      } while (this.#take(';'));
      this.#expect(')');
    }
    this.#expect(':');
    const body = this.pipe();
    this.#expect(';');
    const { type } = this.#peek();
    const closed = type === 'end' || this.#is(')') || this.#is(';');
    return { type: 'define', name, parameters, body, rest: closed ? identity : this.pipe() };
  }

  #label(): JqNode {
    this.#expectName('label');
    const name = this.#peek().text;
    this.#at++;
    this.#expect('|');
    return { type: 'label', name, body: this.pipe() };
  }

  #bind(source: JqNode): JqNode {
    const pattern = this.#pattern();
    this.#expect('|');
    return { type: 'bind', source, pattern, body: this.pipe() };
  }

  #comma(): JqNode {
    let left = this.#operators(0);
    while (this.#take(',')) left = { type: 'comma', left, right: this.#operators(0) };
    return left;
  }

  #operators(level: number): JqNode {
    const row = levels[level];
    if (!row) return this.#unary();
    let left = this.#operators(level + 1);
    for (;;) {
      const operator = this.#operatorOf(row.operators);
      if (operator === undefined) return left;
      this.#at++;
      const right = this.#operators(row.associates === 'right' ? level : level + 1);
      left =
        level === 1
          ? { type: 'update', operator, left, right }
          : { type: 'binary', operator: operator as JqOperator, left, right };
      if (row.associates === 'none') return left;
    }
  }

  #operatorOf(operators: readonly string[]): string | undefined {
    const { type, text } = this.#peek();
    return (type === 'symbol' || type === 'name') && operators.includes(text) ? text : undefined;
  }

  #unary(): JqNode {
    if (this.#take('-')) return { type: 'negate', of: this.#postfix() };
    return this.#postfix();
  }

  #postfix(): JqNode {
    let node = this.#term();
    for (;;) {
      const token = this.#peek();
      if (token.type === 'field') {
        this.#at++;
        node = { type: 'index', of: node, key: literal(token.text.slice(1)) };
      } else if (this.#is('.') && (this.#peek(1).type === 'string' || this.#peek(1).text === '[')) {
        this.#at++;
        const key = this.#peek();
        if (key.type === 'string') {
          this.#at++;
          node = { type: 'index', of: node, key: textOf(key, undefined) };
        }
      } else if (this.#take('[')) node = this.#suffix(node);
      else if (this.#take('?')) node = { type: 'try', body: node, handler: undefined };
      else if (this.#isName('as') && node.type !== 'identity') return node;
      else return node;
    }
  }

  #suffix(of: JqNode): JqNode {
    if (this.#take(']')) return { type: 'iterate', of };
    if (this.#take(':')) {
      const to = this.pipe();
      this.#expect(']');
      return { type: 'slice', of, from: undefined, to };
    }
    const key = this.pipe();
    if (this.#take(':')) {
      const to = this.#is(']') ? undefined : this.pipe();
      this.#expect(']');
      return { type: 'slice', of, from: key, to };
    }
    this.#expect(']');
    return { type: 'index', of, key };
  }

  #term(): JqNode {
    const token = this.#peek();
    this.#at++;
    switch (token.type) {
      case 'number':
        return literal(Number(token.text));
      case 'string':
        return textOf(token, undefined);
      case 'format':
        if (this.#peek().type === 'string') {
          const text = this.#peek();
          this.#at++;
          return textOf(text, token.text);
        }
        return { type: 'format', name: token.text };
      case 'field':
        return { type: 'index', of: identity, key: literal(token.text.slice(1)) };
      case 'variable':
        return { type: 'variable', name: token.text };
      case 'name':
        return this.#named(token.text);
      case 'symbol':
        return this.#symbol(token);
      default:
        throw new JqError('unexpected end of the expression');
    }
  }

  #symbol({ text }: JqToken): JqNode {
    switch (text) {
      case '.': {
        const next = this.#peek();
        if (next.type !== 'string') return identity;
        this.#at++;
        return { type: 'index', of: identity, key: textOf(next, undefined) };
      }
      case '..':
        return { type: 'recurse' };
      case '(': {
        const node = this.pipe();
        this.#expect(')');
        return node;
      }
      case '[': {
        if (this.#take(']')) return { type: 'array', body: undefined };
        const body = this.pipe();
        this.#expect(']');
        return { type: 'array', body };
      }
      case '{':
        return this.#object();
      default:
        throw new JqError(`unexpected token ${JSON.stringify(text)}`);
    }
  }

  #named(name: string): JqNode {
    switch (name) {
      case 'if':
        return this.#if();
      case 'try': {
        const body = this.#postfix();
        return { type: 'try', body, handler: this.#takeName('catch') ? this.#postfix() : undefined };
      }
      case 'reduce':
      case 'foreach':
        return this.#fold(name);
      case 'break': {
        const label = this.#peek().text;
        this.#at++;
        return { type: 'break', name: label };
      }
      case 'def':
        this.#at--;
        return this.#define();
      case 'true':
        return literal(true);
      case 'false':
        return literal(false);
      case 'null':
        return literal(null);
    }
    if (keywords.has(name)) throw new JqError(`unexpected token ${JSON.stringify(name)}`);
    const args: JqNode[] = [];
    if (this.#take('(')) {
      do args.push(this.pipe());
      while (this.#take(';'));
      this.#expect(')');
    }
    return { type: 'call', name, args };
  }

  #if(): JqNode {
    const condition = this.pipe();
    this.#expectName('then');
    const yes = this.pipe();
    if (this.#takeName('elif')) return { type: 'if', condition, yes, otherwise: this.#if() };
    const otherwise = this.#takeName('else') ? this.pipe() : undefined;
    this.#expectName('end');
    return { type: 'if', condition, yes, otherwise };
  }

  #fold(type: 'reduce' | 'foreach'): JqNode {
    const source = this.#postfix();
    this.#expectName('as');
    const pattern = this.#pattern();
    this.#expect('(');
    const start = this.pipe();
    this.#expect(';');
    const update = this.pipe();
    const extract = type === 'foreach' && this.#take(';') ? this.pipe() : undefined;
    this.#expect(')');
    return type === 'reduce'
      ? { type, source, pattern, start, update }
      : { type, source, pattern, start, update, extract };
  }

  #pattern(): JqPattern {
    const token = this.#peek();
    if (token.type === 'variable') {
      this.#at++;
      return { type: 'name', name: token.text };
    }
    if (this.#take('[')) {
      const items: JqPattern[] = [];
      do items.push(this.#pattern());
      while (this.#take(','));
      this.#expect(']');
      return { type: 'array', items };
    }
    this.#expect('{');
    const entries: { key: JqNode; pattern: JqPattern }[] = [];
    do {
      const variable = this.#peek();
      if (variable.type === 'variable' && this.#peek(1).text !== ':') {
        this.#at++;
        entries.push({
          key: literal(variable.text.slice(1)),
          pattern: { type: 'name', name: variable.text },
        });
        continue;
      }
      const key = this.#key();
      this.#expect(':');
      entries.push({ key, pattern: this.#pattern() });
    } while (this.#take(','));
    this.#expect('}');
    return { type: 'object', entries };
  }

  #object(): JqNode {
    const entries: { key: JqNode; value: JqNode }[] = [];
    while (!this.#take('}')) {
      const { type, text } = this.#peek();
      const key = this.#key();
      if (this.#take(':')) entries.push({ key, value: this.#member() });
      else if (type === 'variable') entries.push({ key, value: { type: 'variable', name: text } });
      else entries.push({ key, value: { type: 'index', of: identity, key } });
      if (!this.#is('}')) this.#expect(',');
    }
    return { type: 'object', entries };
  }

  /** What follows a key: no comma, which separates members. */
  #member(): JqNode {
    const left = this.#operators(0);
    return this.#take('|') ? { type: 'pipe', left, right: this.#member() } : left;
  }

  #key(): JqNode {
    const token = this.#peek();
    this.#at++;
    switch (token.type) {
      case 'name':
      case 'number':
        return literal(token.text);
      case 'variable':
        return literal(token.text.slice(1));
      case 'string':
        return textOf(token, undefined);
      default: {
        if (token.text !== '(') throw new JqError(`unexpected token ${JSON.stringify(token.text)}`);
        const node = this.pipe();
        this.#expect(')');
        return node;
      }
    }
  }
}

function literal(value: unknown): JqNode {
  return { type: 'literal', value };
}

function textOf({ parts = [] }: JqToken, format: string | undefined): JqNode {
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'string') return literal(only);
  return {
    type: 'text',
    format,
    parts: parts.map((part) => (typeof part === 'string' ? part : parseAll(part))),
  };
}
