const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '"': 34,
  "'": 39,
  '\\': 92,
  '?': 63,
  '`': 96,
};

/** The text of a string literal, quotes and prefix included; undefined when an escape names no character. */
export function unescapeString(literal: string): string | undefined {
  const { body, isRaw } = literalBody(literal);
  if (isRaw || !body.includes('\\')) return body;
  let text = '';
  for (const part of escapedParts(body)) {
    if (typeof part === 'string') {
      text += part;
    } else {
      if (part.code > 0x10ffff || (part.code >= 0xd800 && part.code <= 0xdfff)) return undefined;
      text += String.fromCodePoint(part.code);
    }
  }
  return text;
}

/** The bytes of a bytes literal: `\x` and octal escapes are single bytes, `\u` escapes are UTF-8. */
export function unescapeBytes(literal: string): Uint8Array | undefined {
  const { body, isRaw } = literalBody(literal);
  const encoder = new TextEncoder();
  if (isRaw || !body.includes('\\')) return encoder.encode(body);
  const bytes: number[] = [];
  for (const part of escapedParts(body)) {
    if (typeof part === 'string') bytes.push(...encoder.encode(part));
    else if (part.isUnicode) return undefined;
    else bytes.push(part.code);
  }
  return Uint8Array.from(bytes);
}

function literalBody(literal: string): { readonly body: string; readonly isRaw: boolean } {
  const start = /^[bBrR]*/.exec(literal)?.[0] ?? '';
  const quoted = literal.slice(start.length);
  const quote = quoted.slice(0, 1);
  const length = quoted.startsWith(quote.repeat(3)) && quoted.length >= 6 ? 3 : 1;
  const body = quoted.slice(length, -length).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  return { body, isRaw: /[rR]/.test(start) };
}

interface EscapedCode {
  readonly code: number;
  readonly isUnicode: boolean;
}

const ESCAPES = /\\(?:([xX])([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))/gsu;

function escapedParts(body: string): (string | EscapedCode)[] {
  const parts: (string | EscapedCode)[] = [];
  let last = 0;
  for (const match of body.matchAll(ESCAPES)) {
    if (match.index > last) parts.push(body.slice(last, match.index));
    last = match.index + match[0].length;
    const [, , byte, short, long, octal, simple] = match;
    if (byte !== undefined) parts.push({ code: Number.parseInt(byte, 16), isUnicode: false });
    else if (octal !== undefined) parts.push({ code: Number.parseInt(octal, 8), isUnicode: false });
    else if (simple !== undefined) parts.push({ code: SIMPLE[simple] ?? 0, isUnicode: false });
    else parts.push({ code: Number.parseInt(short ?? long ?? '', 16), isUnicode: true });
  }
  if (last < body.length) parts.push(body.slice(last));
  return parts;
}
