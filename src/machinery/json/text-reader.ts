import { goQuote } from '../go-quote.ts';
import { JsonSyntaxError } from './json-error.ts';
import { maxDepth, type JsonKind, type JsonReader } from './json-reader.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;

const MAX_INT64 = 9_223_372_036_854_775_807n;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Reads JSON as Go's encoding/json does, with its error messages. Invalid UTF-8 becomes U+FFFD. */
export class TextReader implements JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #first = false;
  #numberStart = 0;

  constructor(bytes: Uint8Array | string) {
    this.#text =
      typeof bytes === 'string'
        ? bytes
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  /** To be called after the only value: nothing but white space may follow. */
  end(): void {
    if (!Number.isNaN(this.#space())) throw this.#unexpected('after top-level value');
  }

  kind(): JsonKind {
    const char = this.#space();
    switch (char) {
      case QUOTE:
        return 'string';
      case OPEN_BRACE:
        return 'object';
      case OPEN_BRACKET:
        return 'array';
      case 0x74:
      case 0x66:
        return 'bool';
      case 0x6e:
        this.#word('null');
        this.#at -= 4;
        return 'null';
      default:
        if (char === MINUS || isDigit(char)) return 'number';
        throw this.#unexpected('looking for beginning of value');
    }
  }

  readString(): string {
    const text = this.#text;
    this.#space();
    const start = this.#at + 1;
    for (let at = start; ; at += 1) {
      const char = text.charCodeAt(at);
      if (char === QUOTE) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (char === BACKSLASH || char < 0x20 || Number.isNaN(char)) {
        this.#at = at;
        return this.#rest(text.slice(start, at));
      }
    }
  }

  readNumber(): number | bigint {
    this.#space();
    const start = this.#at;
    this.#numberStart = start;
    if (this.#char() === MINUS) this.#at += 1;
    if (this.#char() === ZERO) this.#at += 1;
    else this.#digits('in numeric literal');
    let whole = true;
    if (this.#text[this.#at] === '.') {
      whole = false;
      this.#at += 1;
      this.#digits('after decimal point in numeric literal');
    }
    const mark = this.#text[this.#at];
    if (mark === 'e' || mark === 'E') {
      whole = false;
      this.#at += 1;
      const sign = this.#text[this.#at];
      if (sign === '+' || sign === '-') this.#at += 1;
      this.#digits('in exponent of numeric literal');
    }
    const text = this.#text.slice(start, this.#at);
    const value = Number(text);
    if (!whole || Number.isSafeInteger(value)) return value;
    const exact = BigInt(text);
    return exact > MAX_INT64 || exact < -MAX_INT64 - 1n ? value : exact;
  }

  numberText(): string {
    return this.#text.slice(this.#numberStart, this.#at);
  }

  readBool(): boolean {
    const value = this.#space() === 0x74;
    this.#word(value ? 'true' : 'false');
    return value;
  }

  enter(): void {
    this.#space();
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new JsonSyntaxError('exceeded max depth');
    this.#first = true;
  }

  nextKey(): string | undefined {
    let char = this.#space();
    if (char === CLOSE_BRACE) return this.#leave();
    if (!this.#first) {
      if (char !== COMMA) throw this.#unexpected('after object key:value pair');
      this.#at += 1;
      char = this.#space();
    }
    this.#first = false;
    if (char !== QUOTE) throw this.#unexpected('looking for beginning of object key string');
    const key = this.readString();
    if (this.#space() !== COLON) throw this.#unexpected('after object key');
    this.#at += 1;
    return key;
  }

  nextItem(): boolean {
    const char = this.#space();
    if (char === CLOSE_BRACKET) {
      this.#leave();
      return false;
    }
    if (!this.#first) {
      if (char !== COMMA) throw this.#unexpected('after array element');
      this.#at += 1;
    }
    this.#first = false;
    return true;
  }

  skip(): void {
    switch (this.kind()) {
      case 'object':
        this.enter();
        while (this.nextKey() !== undefined) this.skip();
        break;
      case 'array':
        this.enter();
        while (this.nextItem()) this.skip();
        break;
      case 'string':
        this.readString();
        break;
      case 'number':
        this.readNumber();
        break;
      case 'bool':
        this.readBool();
        break;
      case 'null':
        this.#at += 4;
    }
  }

  #leave(): undefined {
    this.#at += 1;
    this.#depth -= 1;
    this.#first = false;
  }

  #char(): number {
    return this.#text.charCodeAt(this.#at);
  }

  /** Passes white space; the character after it, `NaN` at the end. */
  #space(): number {
    for (;;) {
      const char = this.#text.charCodeAt(this.#at);
      if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return char;
      this.#at += 1;
    }
  }

  #digits(context: string): void {
    if (!isDigit(this.#char())) throw this.#unexpected(context);
    do this.#at += 1;
    while (isDigit(this.#char()));
  }

  #word(word: string): void {
    for (let index = 1; index < word.length; index += 1) {
      if (this.#text[this.#at + index] === word[index]) continue;
      this.#at += index;
      throw this.#unexpected(`in literal ${word} (expecting '${word[index]}')`);
    }
    this.#at += word.length;
  }

  /** A string from its first escape on. */
  #rest(before: string): string {
    let value = before;
    for (;;) {
      const start = this.#at;
      let char = this.#char();
      while (char !== QUOTE && char !== BACKSLASH && char >= 0x20) {
        this.#at += 1;
        char = this.#char();
      }
      value += this.#text.slice(start, this.#at);
      if (char === QUOTE) {
        this.#at += 1;
        return value.replaceAll(/\p{Surrogate}/gu, '\ufffd');
      }
      if (char !== BACKSLASH) throw this.#unexpected('in string literal');
      this.#at += 1;
      value += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at] ?? '';
    if (letter !== 'u') {
      const char = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
      if (char === undefined) throw this.#unexpected('in string escape code');
      this.#at += 1;
      return char;
    }
    for (let index = 0; index < 4; index += 1) {
      this.#at += 1;
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? ''))
        throw this.#unexpected('in \\u hexadecimal character escape');
    }
    this.#at += 1;
    return String.fromCharCode(Number.parseInt(this.#text.slice(this.#at - 4, this.#at), 16));
  }

  /** Go complains of a byte, not of a character. */
  #unexpected(context: string): JsonSyntaxError {
    const char = this.#text.codePointAt(this.#at);
    if (char === undefined) return new JsonSyntaxError('unexpected end of JSON input');
    const byte = char < 0x80 ? char : Buffer.from(String.fromCodePoint(char)).readUInt8(0);
    const quoted =
      byte === 0x27 ? "\\'" : byte === QUOTE ? '"' : goQuote(String.fromCharCode(byte)).slice(1, -1);
    return new JsonSyntaxError(`invalid character '${quoted}' ${context}`);
  }
}

function isDigit(char: number): boolean {
  return char >= ZERO && char <= NINE;
}
