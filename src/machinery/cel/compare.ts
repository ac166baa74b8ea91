import { numberOf } from './equality.ts';
import { noSuchOverload } from './evaluation-error.ts';
import type { CelValue } from './value.ts';

/** Negative, zero or positive as the left value sorts before, with or after the right. Throws for types without order. */
export function compareValues(left: CelValue, right: CelValue): number {
  if (typeof left === 'bigint' && typeof right === 'bigint') return order(left, right);
  const leftNumber = numberOf(left);
  const rightNumber = numberOf(right);
  if (leftNumber !== undefined && rightNumber !== undefined) return order(leftNumber, rightNumber);
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return order(Number(left), Number(right));
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (isInstant(left) && isInstant(right) && left.kind === right.kind) return order(left.nanos, right.nanos);
  return noSuchOverload();
}

function isInstant(value: CelValue): value is Extract<CelValue, { readonly kind: 'timestamp' | 'duration' }> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  return value.kind === 'timestamp' || value.kind === 'duration';
}

function order(left: bigint | number, right: bigint | number): number {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** By code points, which is the order of the UTF-8 bytes. */
export function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a === b) continue;
    return a >= 0xd800 && b >= 0xd800 ? Buffer.compare(Buffer.from(left), Buffer.from(right)) : a - b;
  }
  return left.length - right.length;
}
