/**
 * Values of templates: what JSON holds, with `bigint` for Go's integers and `number` for `float64`; `undefined` is Go's
 * missing value, printed `<no value>`. A {@link TemplateObject} is what in Go is a struct.
 */
export class TemplateObject {
  /** As Go names the type: `chart.Metadata`. */
  readonly typeName: string;
  readonly members: ReadonlyMap<string, unknown>;

  constructor(typeName: string, members: Readonly<Record<string, unknown>>) {
    this.typeName = typeName;
    this.members = new Map(Object.entries(members));
  }
}

export type TemplateMap = Readonly<Record<string, unknown>>;

/** A map: neither a list nor a {@link TemplateObject} nor something with behaviour. */
export function isTemplateMap(value: unknown): value is TemplateMap {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof TemplateObject) && !(value instanceof Date) && !(value instanceof Uint8Array);
}

export function isNone(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Go's notion of truth in templates: not the zero of its type, and not empty. */
export function isTrue(value: unknown): boolean {
  if (isNone(value)) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value === 'string') return value.length > 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length > 0;
  return isTemplateMap(value) ? Object.keys(value).length > 0 : true;
}

/** The value's type in Go, as `%T` and errors name it. */
export function goTypeOf(value: unknown): string {
  if (isNone(value)) return '<nil>';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'string') return 'string';
  if (value instanceof Uint8Array) return '[]uint8';
  if (Array.isArray(value)) return '[]interface {}';
  if (value instanceof Date) return 'time.Time';
  if (value instanceof TemplateObject) return value.typeName;
  return typeof value === 'function' ? 'func' : 'map[string]interface {}';
}

/** The member of a map, own only; undefined when it is not there. */
export function memberOf(map: TemplateMap, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Keys in the order in which Go ranges over them and prints them. */
export function sortedKeys(map: TemplateMap): string[] {
  return Object.keys(map).sort(compareText);
}

/** By code point, which is the order of UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    // A surrogate stands for a code point above all other characters of its size.
    const leftRank = left >= 0xd800 && left <= 0xdfff ? left + 0x10000 : left;
    const rightRank = right >= 0xd800 && right <= 0xdfff ? right + 0x10000 : right;
    return leftRank - rightRank;
  }
  return a.length - b.length;
}
