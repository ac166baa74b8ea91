import { compileJsonPath, relaxedJsonPath } from '../machinery/jsonpath/jsonpath.ts';
import { scalarText } from '../machinery/jsonpath/scalar-text.ts';

/** The items in ascending order of what a path finds in each; those without it come first. Throws `JsonPathError`. */
export function sortByPath<T>(
  items: readonly T[],
  { path, objectOf }: { readonly path: string; readonly objectOf: (item: T) => unknown },
): T[] {
  const compiled = compileJsonPath(relaxedJsonPath(path));
  return items
    .map((item) => ({ item, key: compiled.find(objectOf(item))[0] }))
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .map(({ item }) => item);
}

function compareKeys(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [scalarText(a), scalarText(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}
