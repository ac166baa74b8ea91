import type {
  FilterOperand,
  FilterOperator,
  JsonPathNode,
  JsonPathStep,
  PathNode,
} from './jsonpath-evaluate.ts';
import { JsonPathError } from './jsonpath-error.ts';

/** Parses a template of kubectl's JSONPath dialect. Throws {@link JsonPathError}. */
export function parseJsonPath(template: string): JsonPathNode[] {
  const parser = new Parser(template);
  return parser.nodes('top');
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  nodes(place: 'top' | 'range'): JsonPathNode[] {
    const nodes: JsonPathNode[] = [];
    while (this.#at < this.#text.length) {
      const brace = this.#text.indexOf('{', this.#at);
      if (brace !== this.#at) {
        const end = brace < 0 ? this.#text.length : brace;
        nodes.push({ type: 'text', text: this.#text.slice(this.#at, end) });
        this.#at = end;
        continue;
      }
      this.#at += 1;
      if (this.#word('end')) {
        this.#close();
        if (place === 'range') return nodes;
        throw this.#error('not in range, nothing to end');
      }
      nodes.push(...this.#expressions());
    }
    if (place === 'range') throw new JsonPathError('unterminated range: {end} is missing');
    return nodes;
  }

  /** What stands between braces: a range's head, or strings and paths one after the other. */
  #expressions(): JsonPathNode[] {
    if (this.#word('range')) {
      this.#spaces();
      const over = this.#path('}');
      this.#close();
      return [{ type: 'range', over, body: this.nodes('range') }];
    }
    const nodes: JsonPathNode[] = [];
    for (this.#spaces(); this.#peek() !== '}'; this.#spaces()) {
      const char = this.#peek();
      if (char === undefined) throw this.#error('unclosed action');
      if (char === '"' || char === "'") nodes.push({ type: 'text', text: this.#quoted() });
      else nodes.push(this.#path('}'));
    }
    this.#close();
    return nodes;
  }

  #path(end: string): PathNode {
    const fromRoot = this.#peek() === '$';
    const fromCurrent = this.#peek() === '@';
    if (fromRoot || fromCurrent) this.#at += 1;
    const steps: JsonPathStep[] = [];
    if (!fromRoot && !fromCurrent && /[^.[\s]/.test(this.#peek() ?? ' ')) steps.push(this.#field());
    for (;;) {
      const char = this.#peek();
      if (steps.at(-1)?.type === 'descend' && char !== '[') steps.push(this.#field());
      else if (char === '.') steps.push(this.#dot(end));
      else if (char === '[') steps.push(this.#brackets());
      else break;
    }
    return { type: 'path', from: fromRoot ? 'root' : 'current', steps };
  }

  #dot(end: string): JsonPathStep {
    if (this.#text.startsWith('..', this.#at)) {
      this.#at += 2;
      return { type: 'descend' };
    }
    this.#at += 1;
    const next = this.#peek();
    if (next === undefined || next === end || next === '[' || /[\s=!<>)]/.test(next)) return { type: 'self' };
    return this.#field();
  }

  #field(): JsonPathStep {
    if (this.#peek() === '*') {
      this.#at += 1;
      return { type: 'wildcard' };
    }
    let name = '';
    for (
      let char = this.#peek();
      char !== undefined && !/[\s.[\]{}()=!<>,|]/.test(char);
      char = this.#peek()
    ) {
      this.#at += 1;
      if (char === '\\') {
        name += this.#peek() ?? '';
        this.#at += 1;
      } else {
        name += char;
      }
    }
    if (name === '') throw this.#error(`unexpected ${JSON.stringify(this.#peek() ?? 'end')}`);
    return { type: 'field', name };
  }

  #brackets(): JsonPathStep {
    this.#at += 1;
    this.#spaces();
    if (this.#text.startsWith('?(', this.#at)) return this.#filter();
    const parts: JsonPathStep[] = [];
    for (;;) {
      this.#spaces();
      parts.push(this.#subscript());
      this.#spaces();
      if (this.#peek() !== ',') break;
      this.#at += 1;
    }
    this.#expect(']');
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : { type: 'union', parts };
  }

  #subscript(): JsonPathStep {
    const char = this.#peek();
    if (char === '"' || char === "'") return { type: 'field', name: this.#quoted() };
    if (char === '*') {
      this.#at += 1;
      return { type: 'wildcard' };
    }
    const match = /^(-?\d+)?(?:(:)(-?\d+)?(?::(-?\d+)?)?)?/.exec(this.#text.slice(this.#at));
    const [all = '', start, colon, end, step] = match ?? [];
    if (all === '') {
      // `[.name]` and `[name]` in unions name a field.
      if (char === '.') this.#at += 1;
      return this.#field();
    }
    this.#at += all.length;
    if (!colon) return { type: 'index', index: Number(start) };
    return {
      type: 'slice',
      ...(start !== undefined && { start: Number(start) }),
      ...(end !== undefined && { end: Number(end) }),
      ...(step !== undefined && { step: Number(step) }),
    };
  }

  #filter(): JsonPathStep {
    this.#at += 2;
    const left = this.#operand();
    this.#spaces();
    const operator = /^(==|!=|<=|>=|<|>)/.exec(this.#text.slice(this.#at))?.[1] as FilterOperator | undefined;
    if (operator === undefined) {
      this.#expect(')');
      this.#spaces();
      this.#expect(']');
      return { type: 'filter', left };
    }
    this.#at += operator.length;
    const right = this.#operand();
    this.#spaces();
    this.#expect(')');
    this.#spaces();
    this.#expect(']');
    return { type: 'filter', left, operator, right };
  }

  #operand(): FilterOperand {
    this.#spaces();
    const char = this.#peek();
    if (char === '"' || char === "'") return { type: 'value', value: this.#quoted() };
    const literal = /^(true|false|-?\d+(?:\.\d+)?)(?=[\s)=!<>])/.exec(this.#text.slice(this.#at))?.[1];
    if (literal === undefined) return this.#path(')');
    this.#at += literal.length;
    return { type: 'value', value: JSON.parse(literal) as boolean | number };
  }

  #quoted(): string {
    const quote = this.#peek();
    let text = '';
    for (this.#at += 1; this.#peek() !== quote; this.#at += 1) {
      const char = this.#peek();
      if (char === undefined) throw this.#error('unterminated quoted string');
      if (char === '\\') {
        this.#at += 1;
        text += unescaped(this.#peek() ?? '');
      } else {
        text += char;
      }
    }
    this.#at += 1;
    return text;
  }

  #word(word: string): boolean {
    const match = new RegExp(`^\\s*${word}(?=[\\s}])`).exec(this.#text.slice(this.#at));
    if (!match) return false;
    this.#at += match[0].length;
    return true;
  }

  #close(): void {
    this.#spaces();
    this.#expect('}');
  }

  #expect(char: string): void {
    if (this.#peek() !== char) throw this.#error(`${char} is missing`);
    this.#at += 1;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #spaces(): void {
    while (/\s/.test(this.#peek() ?? '')) this.#at += 1;
  }

  #error(problem: string): JsonPathError {
    return new JsonPathError(`error parsing jsonpath ${this.#text}, ${problem} at position ${this.#at}`);
  }
}

function unescaped(char: string): string {
  return { n: '\n', t: '\t', r: '\r' }[char] ?? char;
}
