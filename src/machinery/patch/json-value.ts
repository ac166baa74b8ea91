/** A JSON object. Keys are the owner's: read them with {@link member}, build with literals or `Object.fromEntries`. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether the value is a JSON object, neither list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member, also under names such as `__proto__`; undefined when absent. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The object with one member set. */
export function withMember(object: JsonObject, key: string, value: unknown): JsonObject {
  return { ...object, [key]: value };
}

/** The object without one member. */
export function withoutMember(object: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

/** Whether two JSON values are equal; the order of members does not matter. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (isObject(a)) {
    if (!isObject(b)) return false;
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && jsonEqual(a[key], b[key]))
    );
  }
  const numeric = (value: unknown): value is number | bigint =>
    typeof value === 'number' || typeof value === 'bigint';
  // eslint-disable-next-line eqeqeq -- 1 and 1n are the same JSON number
  return numeric(a) && numeric(b) && a == b;
}

/** A JSON value as Go's `%v` prints it: `map[a:1 b:[x y]]`. */
export function goPrint(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (isObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${key}:${goPrint(value[key])}`);
    return `map[${members.join(' ')}]`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
