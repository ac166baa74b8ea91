/** Upstream's order of JSON values: numbers, strings, booleans, lists, maps, null (structured-merge-diff `value.Compare`). */
export function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  if (rank !== rankOf(b)) return rank - rankOf(b);
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (rank === maps) return compareMaps(a as object, b as object);
  if (rank === nulls) return 0;
  const [left, right] = [a as string, b as string];
  return left < right ? -1 : left > right ? 1 : 0;
}

const maps = 4;
const nulls = 5;

function rankOf(value: unknown): number {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return 0;
    case 'string':
      return 1;
    case 'boolean':
      return 2;
    default:
      if (value === null || value === undefined) return nulls;
      return Array.isArray(value) ? 3 : maps;
  }
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [index, value] of a.entries()) {
    if (index >= b.length) return 1;
    const order = compareValues(value, b[index]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareMaps(a: object, b: object): number {
  const [left, right] = [Object.entries(a).toSorted(byName), Object.entries(b).toSorted(byName)];
  for (const [index, [name, value]] of left.entries()) {
    const other = right[index];
    if (!other) return 1;
    if (name !== other[0]) return name < other[0] ? -1 : 1;
    const order = compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** Whether two JSON values are the same, whatever the order of their members. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return typeof a !== typeof b && isNumber(a) && isNumber(b) && Number(a) === Number(b);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => equalValues(item, b[index]));
  }
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  let count = 0;
  for (const name in left) {
    if (left[name] === undefined) continue;
    count++;
    if (!Object.hasOwn(right, name) || !equalValues(left[name], right[name])) return false;
  }
  for (const name in right) if (right[name] !== undefined) count--;
  return count === 0;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
