import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  subtractQuantities,
} from '../../../machinery/quantity.ts';
import type { ResourceList } from '../pod-spec/quantities.ts';

/** Only these names. */
export function masked(list: ResourceList, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(list).filter(([name]) => names.includes(name)));
}

/** `a - b`, at least zero, for the names of `a`. */
export function difference(a: ResourceList, b: ResourceList): Record<string, string> {
  return Object.fromEntries(
    Object.entries(a).map(([name, value]) => {
      const rest = subtractQuantities(parseQuantity(value), parseQuantity(b[name] ?? '0'));
      return [name, rest.nanos < 0n ? '0' : formatQuantity(rest)];
    }),
  );
}

/** Sums of the names that either has. */
export function total(a: ResourceList, b: ResourceList): Record<string, string> {
  const sums: Record<string, string> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = sums[name];
    sums[name] =
      other === undefined ? value : formatQuantity(addQuantities(parseQuantity(other), parseQuantity(value)));
  }
  return sums;
}

/** Without what is nothing. */
export function withoutZeros(list: ResourceList): Record<string, string> {
  return Object.fromEntries(Object.entries(list).filter(([, value]) => parseQuantity(value).nanos !== 0n));
}

/** The names of which `list` has more than `limits` allow. */
export function exceeding(list: ResourceList, limits: ResourceList): string[] {
  return Object.entries(list)
    .filter(([name, value]) => {
      const limit = limits[name];
      return limit !== undefined && compareQuantities(parseQuantity(value), parseQuantity(limit)) > 0;
    })
    .map(([name]) => name);
}

/** `cpu=1,memory=1Gi`, by name. */
export function printed(list: ResourceList): string {
  return Object.entries(list)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${formatQuantity(parseQuantity(value))}`)
    .join(',');
}
