import {
  addQuantities,
  compareQuantities as compare,
  formatQuantity,
  parseQuantity,
} from '../../../machinery/quantity.ts';

/** Amounts by resource name, in the texts that objects hold. */
export type ResourceList = Readonly<Record<string, string>>;

const unit = 1_000_000_000n;

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: string, b: string): number {
  return compare(parseQuantity(a), parseQuantity(b));
}

/** Whether there are no fractions. */
export function isWholeNumber(text: string): boolean {
  return parseQuantity(text).nanos % unit === 0n;
}

/** Whether `text` is a multiple of `size`; any quantity is when `size` cannot be read. */
export function isZeroOrMultiple(text: string, size: string): boolean {
  let step: bigint;
  try {
    step = parseQuantity(size).nanos;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
  return step > 0n && parseQuantity(text).nanos % step === 0n;
}

function merge(a: ResourceList, b: ResourceList, choose: (x: string, y: string) => string): ResourceList {
  const merged: Record<string, string> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = merged[name];
    merged[name] = other === undefined ? value : choose(other, value);
  }
  return merged;
}

/** Sums, resource by resource. */
export function sumLists(a: ResourceList, b: ResourceList): ResourceList {
  return merge(a, b, (x, y) => formatQuantity(addQuantities(parseQuantity(x), parseQuantity(y))));
}

/** The larger of each. */
export function maxLists(a: ResourceList, b: ResourceList): ResourceList {
  return merge(a, b, (x, y) => (compareQuantities(x, y) >= 0 ? x : y));
}
