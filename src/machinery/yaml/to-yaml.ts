import { analyzeScalar } from './analyze-scalar.ts';
import { resolveScalar } from './resolve-scalar.ts';

/** Text breaks at the first blank beyond this column. */
const width = 80;
/** Longer keys are written after `? `. */
const longestKey = 128;

/**
 * YAML as `kubectl -o yaml` writes it (sigs.k8s.io/yaml): keys in natural order, lists not indented, strings quoted only where
 * YAML 1.1 would read something else. Ends with a line break. Keys whose value is undefined are left out.
 */
export function toYaml(value: unknown): string {
  const block = writeBlock(value, '');
  if (block !== undefined) return block;
  return `${writeScalar(value, { indent: '', column: 0 })}\n`;
}

/** The lines of a collection that is not empty; undefined for anything else. */
function writeBlock(value: unknown, indent: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : writeList(value, indent);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  if (entries.length === 0) return undefined;
  entries.sort(([a], [b]) => compareNaturally(a, b));
  return entries.map(([key, member]) => `${indent}${writeMember(key, member, indent)}`).join('');
}

function writeMember(key: string, value: unknown, indent: string): string {
  const name = writeScalar(key, { indent, column: 0, isKey: true });
  const isLong = name.length > longestKey;
  const start = isLong ? `? ${name}\n${indent}:` : `${name}:`;
  const nested = writeBlock(value, Array.isArray(value) ? indent : `${indent}  `);
  if (nested !== undefined) return `${start}\n${nested}`;
  const column = indent.length + (isLong ? 1 : start.length);
  return `${start} ${writeScalar(value, { indent: `${indent}  `, column: column + 1 })}\n`;
}

function writeList(items: readonly unknown[], indent: string): string {
  const inner = `${indent}  `;
  return items
    .map((item) => {
      const nested = writeBlock(item, inner);
      if (nested !== undefined) return `${indent}- ${nested.slice(inner.length)}`;
      return `${indent}- ${writeScalar(item, { indent: inner, column: inner.length })}\n`;
    })
    .join('');
}

interface Place {
  /** Of continuation lines. */
  readonly indent: string;
  /** Where the text begins. */
  readonly column: number;
  readonly isKey?: boolean;
}

function writeScalar(value: unknown, place: Place): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, place);
    case 'number':
      return writeNumber(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      if (value === null || value === undefined) return 'null';
      return Array.isArray(value) ? '[]' : '{}';
  }
}

/** Go's `%g` with the shortest digits. */
function writeNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const digits = mantissa.replace(/[-.]/g, '').length;
  const power = Number(exponent);
  if (power >= -4 && power < Math.max(digits, 21)) return String(value);
  const sign = power < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

function writeString(text: string, place: Place): string {
  const analysis = analyzeScalar(text);
  const meaning = resolveScalar(text).type;
  const isText = meaning === 'string' || (meaning === 'merge' && !place.isKey);
  const plain = isText && !base60.test(text) && !time.test(text);
  if (text.includes('\n')) {
    return analysis.block && !place.isKey ? writeLiteral(text, place) : writeDoubleQuoted(text, place);
  }
  if (!plain) return writeDoubleQuoted(text, place);
  if (analysis.plain) return fold(text, place, { quote: '', edges: true });
  return analysis.singleQuoted
    ? fold(text.replaceAll("'", "''"), place, { quote: "'", edges: false })
    : writeDoubleQuoted(text, place);
}

/** What YAML 1.1 reads as a number of base 60 (`1:30`). */
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

const time =
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?$/;

/** Breaks the line at single blanks beyond the width; `edges`: also at the first and the last character. */
function fold(
  text: string,
  place: Place,
  { quote, edges }: { readonly quote: string; readonly edges: boolean },
): string {
  if (place.isKey || place.column + text.length <= width) return `${quote}${text}${quote}`;
  let out = quote;
  let column = place.column + quote.length;
  for (let index = 0; index < text.length; index += 1) {
    const isBlank = text[index] === ' ';
    const isEdge = index === 0 || index === text.length - 1;
    const isSingle = text[index + 1] !== ' ' && text[index - 1] !== ' ';
    if (isBlank && isSingle && column > width && (edges || !isEdge)) {
      out += `\n${place.indent}`;
      column = place.indent.length;
    } else {
      out += text.charAt(index);
      column += 1;
    }
  }
  return `${out}${quote}`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\u000b': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function writeDoubleQuoted(text: string, place: Place): string {
  let out = '"';
  let column = place.column + 1;
  const characters = Array.from(text);
  let afterBlank = false;
  characters.forEach((character, index) => {
    const isBlank = character === ' ';
    const isEdge = index === 0 || index === characters.length - 1;
    let written = escape(character);
    if (isBlank && !afterBlank && !place.isKey && column > width && !isEdge) {
      written = `\n${place.indent}${characters[index + 1] === ' ' ? '\\' : ''}`;
      column = place.indent.length;
    } else column += written.length;
    out += written;
    afterBlank = isBlank;
  });
  return `${out}"`;
}

function escape(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code !== 0x7f && !(code > 0x7f && code < 0xa0) && code !== 0xfeff && code <= 0xffff)
    return character;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function writeLiteral(text: string, { indent }: Place): string {
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomping = text.endsWith('\n') ? (/(?:^|\n)\n$/.test(text) ? '+' : '') : '-';
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  const body = lines.map((line) => (line === '' ? '' : `${indent || '  '}${line}`)).join('\n');
  return `|${hint}${chomping}\n${body}`;
}

/** As go-yaml sorts keys: runs of digits by their number, letters after what is no letter. */
function compareNaturally(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let index = 0; index < left.length && index < right.length; index += 1) {
    const x = left[index] ?? '';
    const y = right[index] ?? '';
    if (x === y) continue;
    if (isLetter(x) && isLetter(y)) return x < y ? -1 : 1;
    if (isLetter(x) || isLetter(y)) return isLetter(y) ? -1 : 1;
    return compareNumbers(left, right, index) || (x < y ? -1 : 1);
  }
  return left.length - right.length;
}

/** Compares the runs of digits that begin at `at`; behind other digits of theirs, zeros count. */
function compareNumbers(left: readonly string[], right: readonly string[], at: number): number {
  const hasZero = left[at] === '0' || right[at] === '0';
  const before = hasZero && isInsideNumber(left, at) ? '1' : '0';
  const x = digitsAt(left, at);
  const y = digitsAt(right, at);
  const difference = BigInt(before + x) - BigInt(before + y);
  return difference < 0n ? -1 : difference > 0n ? 1 : x.length - y.length;
}

function digitsAt(text: readonly string[], at: number): string {
  let end = at;
  while (isDigit(text[end] ?? '')) end += 1;
  return text.slice(at, end).join('');
}

/** Whether a digit other than zero stands before, in the same run. */
function isInsideNumber(text: readonly string[], at: number): boolean {
  for (let index = at - 1; index >= 0 && isDigit(text[index] ?? ''); index -= 1) {
    if (text[index] !== '0') return true;
  }
  return false;
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character);
}
