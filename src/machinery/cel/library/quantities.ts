import { parseQuantity } from '../../quantity.ts';
import type { Quantity } from '../../quantity.ts';
import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asInt, asOpaque, asText } from '../value-guards.ts';
import type { CelOpaque, CelValue } from '../value.ts';

interface ScaledQuantity extends Quantity {
  /** The power of ten that upstream counts in; undefined when it keeps a decimal instead, which is no integer to it. */
  readonly scale: number | undefined;
}

const TYPE = 'kubernetes.Quantity';
const NANO = 1_000_000_000n;
const MAX_INT = (1n << 63n) - 1n;

/** Kubernetes' quantity library. */
export function quantityFunctions(): FunctionLibrary {
  return [
    {
      id: 'string_to_quantity',
      signature: `quantity(string) -> ${TYPE}`,
      run: (text) => celQuantity(asText(text)),
    },
    {
      id: 'is_quantity_string',
      signature: 'isQuantity(string) -> bool',
      run: (text) => isQuantity(asText(text)),
    },
    { id: 'quantity_sign', signature: `sign(${TYPE}) -> int`, run: (value) => compare(nanosOf(value), 0n) },
    {
      id: 'quantity_is_greater_than',
      signature: `<${TYPE}>.isGreaterThan(${TYPE}) -> bool`,
      run: (left, right) => nanosOf(left) > nanosOf(right),
    },
    {
      id: 'quantity_is_less_than',
      signature: `<${TYPE}>.isLessThan(${TYPE}) -> bool`,
      run: (left, right) => nanosOf(left) < nanosOf(right),
    },
    {
      id: 'quantity_compare_to',
      signature: `<${TYPE}>.compareTo(${TYPE}) -> int`,
      run: (left, right) => compare(nanosOf(left), nanosOf(right)),
    },
    {
      id: 'quantity_get_float',
      signature: `<${TYPE}>.asApproximateFloat() -> double`,
      run: (value) => Number(nanosOf(value)) / 1e9,
    },
    {
      id: 'quantity_get_int',
      signature: `<${TYPE}>.asInteger() -> int`,
      run: (value) => wholeOf(value) ?? evaluationError('cannot convert value to integer'),
    },
    {
      id: 'quantity_is_integer',
      signature: `<${TYPE}>.isInteger() -> bool`,
      run: (value) => wholeOf(value) !== undefined,
    },
    {
      id: 'quantity_add',
      signature: `<${TYPE}>.add(${TYPE}) -> ${TYPE}`,
      run: (left, right) => sum(quantityOf(left), quantityOf(right), 1n),
    },
    {
      id: 'quantity_add_int',
      signature: `<${TYPE}>.add(int) -> ${TYPE}`,
      run: (left, right) => sum(quantityOf(left), whole(asInt(right)), 1n),
    },
    {
      id: 'quantity_sub',
      signature: `<${TYPE}>.sub(${TYPE}) -> ${TYPE}`,
      run: (left, right) => sum(quantityOf(left), quantityOf(right), -1n),
    },
    {
      id: 'quantity_sub_int',
      signature: `<${TYPE}>.sub(int) -> ${TYPE}`,
      run: (left, right) => sum(quantityOf(left), whole(asInt(right)), -1n),
    },
  ];
}

function opaque(payload: ScaledQuantity): CelOpaque {
  return {
    kind: 'opaque',
    typeName: TYPE,
    payload,
    equals: (other) => 'nanos' in other && other.nanos === payload.nanos,
  };
}

function quantityOf(value: CelValue | undefined): ScaledQuantity {
  return asOpaque(value).payload as ScaledQuantity;
}

function nanosOf(value: CelValue | undefined): bigint {
  return quantityOf(value).nanos;
}

/** The quantity that a text means, as expressions see it. */
export function celQuantity(text: string): CelValue {
  try {
    return opaque({ ...parseQuantity(text), scale: scaleOf(text) });
  } catch (error) {
    if (error instanceof RangeError) return evaluationError(error.message);
    throw error;
  }
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

/** The scale that upstream's fast path reads a text with. */
function scaleOf(text: string): number | undefined {
  const [, wholePart = '', fraction = '', suffix = ''] =
    /^[+-]?([0-9]*)(?:\.([0-9]*))?(.*)$/.exec(text) ?? [];
  const digits = wholePart.replace(/^0+/, '').length + fraction.length;
  if (suffix.endsWith('i')) return fraction === '' && digits < 15 ? 0 : undefined;
  const exponent = /^[eE]/.test(suffix) && suffix.length > 1 ? Number(suffix.slice(1)) : EXPONENTS[suffix];
  const scale = (exponent ?? 0) - fraction.length;
  return digits <= 18 && scale >= -9 ? scale : undefined;
}

function whole(value: bigint): ScaledQuantity {
  return { nanos: value * NANO, format: 'DecimalExponent', scale: 0 };
}

function wholeOf(value: CelValue | undefined): bigint | undefined {
  const { nanos, scale } = quantityOf(value);
  if (nanos === 0n) return 0n;
  if (scale === undefined || scale < 0) return undefined;
  const units = nanos / NANO;
  return units > MAX_INT || units < -MAX_INT ? undefined : units;
}

function sum(left: ScaledQuantity, right: ScaledQuantity, sign: 1n | -1n): CelValue {
  const nanos = left.nanos + sign * right.nanos;
  const format = left.nanos === 0n ? right.format : left.format;
  let scale: number | undefined;
  if (left.nanos === 0n) scale = right.scale;
  else if (right.nanos === 0n) scale = left.scale;
  else if (left.scale !== undefined && right.scale !== undefined) scale = Math.min(left.scale, right.scale);
  return opaque({ nanos, format, scale });
}

function compare(left: bigint, right: bigint): bigint {
  if (left < right) return -1n;
  return left > right ? 1n : 0n;
}
