const simple: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const escape = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))/y;

/** The value of a Go string literal, quoted or raw; undefined when it is not one. Bytes above 0x7f become characters. */
export function unquoteGo(literal: string): string | undefined {
  const quote = literal[0];
  const body = literal.slice(1, -1);
  if (quote === '`') return body.replaceAll('\r', '');
  return unescape(body, quote === '"' ? "'" : '"');
}

/** The code point of a Go character constant. */
export function unquoteGoChar(literal: string): bigint | undefined {
  const text = unescape(literal.slice(1, -1), '"');
  const points = text === undefined ? [] : Array.from(text);
  return points.length === 1 ? BigInt(points[0]?.codePointAt(0) ?? 0) : undefined;
}

function unescape(body: string, otherQuote: string): string | undefined {
  let out = '';
  for (let at = 0; at < body.length;) {
    if (body[at] !== '\\') {
      out += body[at];
      at++;
      continue;
    }
    escape.lastIndex = at;
    const match = escape.exec(body);
    if (!match) return undefined;
    const [whole, hex, short, long, octal, letter] = match;
    if (letter === otherQuote) return undefined;
    const code = hex ?? short ?? long;
    if (code !== undefined) out += String.fromCodePoint(Number.parseInt(code, 16));
    else if (octal !== undefined) out += String.fromCodePoint(Number.parseInt(octal, 8));
    else out += simple[letter ?? ''] ?? '';
    at += whole.length;
  }
  return out;
}
