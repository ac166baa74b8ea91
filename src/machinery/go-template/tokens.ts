/** What {@link tokenize} finds. `text` stands outside of actions; everything else inside. */
export type TokenType =
  | 'text'
  | 'leftDelim'
  | 'rightDelim'
  | 'space'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'assign'
  | 'declare'
  | 'field'
  | 'identifier'
  | 'keyword'
  | 'leftParen'
  | 'rightParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'string'
  | 'variable'
  | 'dot'
  | 'nil'
  | 'error'
  | 'end of file';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly pos: number;
}

const keywords = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);

const LEFT = '{{';
const RIGHT = '}}';
const wordStart = /[\p{L}_]/u;
const wordPart = /[\p{L}\p{N}_]/u;

/** The tokens of a template's text; the last is the end of the file or an error. Follows text/template/parse/lex.go. */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    let trimStart = false;
    while (this.#at < this.#source.length) {
      const start = this.#source.indexOf(LEFT, this.#at);
      let text = start < 0 ? this.#source.slice(this.#at) : this.#source.slice(this.#at, start);
      let textAt = this.#at;
      if (trimStart) {
        const trimmed = text.replace(/^[ \t\r\n]+/, '');
        textAt += text.length - trimmed.length;
        text = trimmed;
      }
      const trimEnd = start >= 0 && this.#trimsBefore(start + LEFT.length);
      if (trimEnd) text = text.replace(/[ \t\r\n]+$/, '');
      if (text !== '') this.#tokens.push({ type: 'text', text, pos: textAt });
      if (start < 0) break;
      this.#at = start + LEFT.length;
      if (trimEnd) this.#at += 2;
      const ended = this.#source.startsWith('/*', this.#at) ? this.#comment() : this.#action(start);
      if (ended === 'failed') return this.#tokens;
      trimStart = ended === 'trim';
    }
    this.#tokens.push({ type: 'end of file', text: 'EOF', pos: this.#source.length });
    return this.#tokens;
  }

  #trimsBefore(at: number): boolean {
    return this.#source[at] === '-' && isSpace(this.#source[at + 1]);
  }

  /** Whether ` -}}` stands here. */
  #trimsAfter(): boolean {
    return (
      isSpace(this.#source[this.#at]) &&
      this.#source[this.#at + 1] === '-' &&
      this.#source.startsWith(RIGHT, this.#at + 2)
    );
  }

  #fail(message: string, pos: number = this.#at): 'failed' {
    this.#tokens.push({ type: 'error', text: message, pos });
    return 'failed';
  }

  #emit(type: TokenType, length: number): undefined {
    this.#tokens.push({ type, text: this.#source.slice(this.#at, this.#at + length), pos: this.#at });
    this.#at += length;
    return undefined;
  }

  #comment(): 'trim' | 'plain' | 'failed' {
    const end = this.#source.indexOf('*/', this.#at + 2);
    if (end < 0) return this.#fail('unclosed comment');
    this.#at = end + 2;
    const trim = this.#trimsAfter();
    if (trim) this.#at += 2;
    if (!this.#source.startsWith(RIGHT, this.#at)) return this.#fail('comment ends before closing delimiter');
    this.#at += RIGHT.length;
    return trim ? 'trim' : 'plain';
  }

  #action(start: number): 'trim' | 'plain' | 'failed' {
    this.#tokens.push({ type: 'leftDelim', text: LEFT, pos: start });
    this.#depth = 0;
    for (;;) {
      const trim = this.#trimsAfter();
      if (trim || this.#source.startsWith(RIGHT, this.#at)) {
        if (this.#depth > 0) return this.#fail('unclosed left paren');
        if (trim) this.#at += 2;
        this.#emit('rightDelim', RIGHT.length);
        return trim ? 'trim' : 'plain';
      }
      if (this.#inside() === 'failed') return 'failed';
    }
  }

  #inside(): 'failed' | undefined {
    const char = this.#source[this.#at];
    if (char === undefined) return this.#fail('unclosed action');
    if (isSpace(char)) return this.#space();
    if (char === ':') {
      if (this.#source[this.#at + 1] !== '=') return this.#fail('expected :=');
      return this.#emit('declare', 2);
    }
    if (char === '=') return this.#emit('assign', 1);
    if (char === '|') return this.#emit('pipe', 1);
    if (char === '"') return this.#quoted('"', 'string', 'unterminated quoted string');
    if (char === "'") return this.#quoted("'", 'charConstant', 'unterminated character constant');
    if (char === '`') return this.#raw();
    if (char === '$') return this.#name('variable', 1);
    if (char === '.' && !/\d/.test(this.#source[this.#at + 1] ?? '')) return this.#name('field', 1);
    if (char === '(') {
      this.#depth++;
      return this.#emit('leftParen', 1);
    }
    if (char === ')') {
      this.#depth--;
      if (this.#depth < 0) return this.#fail('unexpected right paren');
      return this.#emit('rightParen', 1);
    }
    if (/[-+.\d]/.test(char)) return this.#number();
    const whole = this.#charHere();
    if (wordStart.test(whole)) return this.#name('identifier', whole.length);
    if (/[\u0020-\u007e]/.test(whole)) return this.#emit('char', whole.length);
    const code = (whole.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return this.#fail(
      `unrecognized character in action: U+${code}${/\p{C}/u.test(whole) ? '' : ` '${whole}'`}`,
    );
  }

  #charHere(): string {
    return String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
  }

  #space(): undefined {
    let end = this.#at;
    while (isSpace(this.#source[end])) {
      // The blank before `-}}` belongs to it.
      if (end > this.#at && this.#source.startsWith(`-${RIGHT}`, end + 1)) break;
      end++;
    }
    this.#emit('space', end - this.#at);
    return undefined;
  }

  #quoted(quote: string, type: TokenType, message: string): 'failed' | undefined {
    for (let at = this.#at + 1; ; at++) {
      const char = this.#source[at];
      if (char === undefined || char === '\n') return this.#fail(message);
      if (char === '\\') {
        at++;
        if (this.#source[at] === undefined || this.#source[at] === '\n') return this.#fail(message);
      } else if (char === quote) return this.#emit(type, at + 1 - this.#at);
    }
  }

  #raw(): 'failed' | undefined {
    const end = this.#source.indexOf('`', this.#at + 1);
    if (end < 0) return this.#fail('unterminated raw quoted string');
    return this.#emit('rawString', end + 1 - this.#at);
  }

  #name(kind: 'variable' | 'field' | 'identifier', from: number): 'failed' | undefined {
    let end = this.#at + from;
    for (;;) {
      const code = this.#source.codePointAt(end);
      const char = code === undefined ? '' : String.fromCodePoint(code);
      if (char === '' || !wordPart.test(char)) break;
      end += char.length;
    }
    const word = this.#source.slice(this.#at, end);
    if (!this.#terminated(end)) return this.#fail(`bad character ${printChar(this.#source, end)}`, end);
    return this.#emit(typeOfName(kind, word), word.length);
  }

  /** A name must be followed by something that cannot continue it. */
  #terminated(at: number): boolean {
    const char = this.#source[at];
    return (
      char === undefined || isSpace(char) || '.,|:=()'.includes(char) || this.#source.startsWith(RIGHT, at)
    );
  }

  #number(): 'failed' | undefined {
    const match =
      /^[-+]?(?:0[xX][\da-fA-F_]+(?:\.[\da-fA-F_]*)?(?:[pP][-+]?\d+)?|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?)/.exec(
        this.#source.slice(this.#at),
      );
    const length = match?.[0].length ?? 1;
    const next = this.#source[this.#at + length] ?? '';
    if (!match || wordPart.test(next))
      return this.#fail(
        `bad number syntax: ${JSON.stringify(this.#source.slice(this.#at, this.#at + length + 1))}`,
      );
    return this.#emit('number', length);
  }
}

function typeOfName(kind: 'variable' | 'field' | 'identifier', word: string): TokenType {
  if (kind === 'field') return word === '.' ? 'dot' : 'field';
  if (kind === 'variable') return 'variable';
  if (keywords.has(word)) return 'keyword';
  if (word === 'true' || word === 'false') return 'bool';
  return word === 'nil' ? 'nil' : 'identifier';
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}

function printChar(source: string, at: number): string {
  const code = source.codePointAt(at) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`;
}
