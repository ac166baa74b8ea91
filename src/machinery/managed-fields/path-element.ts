import { goQuote } from '../go-quote.ts';
import { encodeJson } from '../json/encode.ts';
import { parseJson } from '../json/parse-json.ts';
import { compareValues } from './compare-values.ts';

/**
 * One step of a field's path in the form that `FieldsV1` writes it: `f:name` of a member, `k:{"name":"c"}` of an item with those
 * keys, `v:"x"` of an item of a set, `i:0` of a position.
 */
export type PathElement = string;

/** From the object to the field. */
export type FieldPath = readonly PathElement[];

export function memberElement(name: string): PathElement {
  return `f:${name}`;
}

/** The element of an item that these keys identify; their order does not matter. */
export function keyElement(keys: Readonly<Record<string, unknown>>): PathElement {
  const names = Object.keys(keys).toSorted();
  return `k:{${names.map((name) => `${encodeJson(name)}:${encodeJson(keys[name])}`).join(',')}}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${encodeJson(value)}`;
}

/** The canonical form of an element that a client wrote; undefined for a prefix that is not known. Throws for bad syntax. */
export function readElement(text: string): PathElement | undefined {
  if (text.length < 2 || text[1] !== ':') throw new SyntaxError(`missing colon: ${JSON.stringify(text)}`);
  switch (text[0]) {
    case 'f':
      return text;
    case 'i':
      if (!/^i:-?\d+$/.test(text)) throw new SyntaxError(`invalid index: ${JSON.stringify(text)}`);
      return text;
    case 'v':
      return valueElement(operand(text));
    case 'k': {
      const keys = operand(text);
      if (typeof keys !== 'object' || keys === null || Array.isArray(keys))
        throw new SyntaxError(`invalid key: ${JSON.stringify(text)}`);
      return keyElement(keys as Readonly<Record<string, unknown>>);
    }
    default:
      return undefined;
  }
}

function operand(element: PathElement): unknown {
  return parseJson(element.slice(2)).value;
}

const ranks: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 };

/** Upstream's order of elements: members by name, then items by keys, by value, by position. */
export function compareElements(a: PathElement, b: PathElement): number {
  const kind = a[0] ?? '';
  if (kind !== b[0]) return (ranks[kind] ?? 4) - (ranks[b[0] ?? ''] ?? 4);
  if (kind === 'f') return a < b ? -1 : a > b ? 1 : 0;
  if (kind === 'i') return Number(a.slice(2)) - Number(b.slice(2));
  if (kind === 'v') return compareValues(operand(a), operand(b));
  return compareKeys(Object.entries(operand(a) as object), Object.entries(operand(b) as object));
}

function compareKeys(a: readonly [string, unknown][], b: readonly [string, unknown][]): number {
  for (const [index, [name, value]] of a.entries()) {
    const other = b[index];
    if (!other) return 1;
    if (name !== other[0]) return name < other[0] ? -1 : 1;
    const order = compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** The path as upstream's messages show it: `.spec.containers[name="c"].image`. */
export function formatPath(path: FieldPath): string {
  return path.map(formatElement).join('');
}

export function formatElement(element: PathElement): string {
  switch (element[0]) {
    case 'f':
      return `.${element.slice(2)}`;
    case 'i':
      return `[${element.slice(2)}]`;
    case 'v':
      return `[=${formatOperand(operand(element))}]`;
    default:
      return `[${Object.entries(operand(element) as object)
        .map(([name, value]) => `${name}=${formatOperand(value)}`)
        .join(',')}]`;
  }
}

function formatOperand(value: unknown): string {
  return typeof value === 'string' ? goQuote(value) : encodeJson(value);
}
