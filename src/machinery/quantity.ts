/** How a quantity prints: `Mi`, `M` or `6e3`. */
export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent';

/** An exact amount: `nanos` billionths of the unit. Upstream rounds what is finer up, away from zero. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

const NANO = 1_000_000_000n;
const MAX_MILLIS = 9_223_372_036_854_775_807n;
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const DECIMAL_SUFFIXES: Readonly<Record<string, number>> = {
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
const SUFFIX_OF_EXPONENT: ReadonlyMap<number, string> = new Map(
  Object.entries(DECIMAL_SUFFIXES).map(([suffix, exponent]) => [exponent, suffix]),
);

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([a-zA-Z]*)([+-]?[0-9]*)$/;

/** Upstream's complaint about a text of the wrong shape. */
export const QUANTITY_FORMAT_MESSAGE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Upstream's complaint about a suffix that does not exist. */
export const QUANTITY_SUFFIX_MESSAGE = "unable to parse quantity's suffix";

/** Reads `1`, `100m`, `1.5Gi`, `2e3`. Throws `RangeError` with upstream's message. */
export function parseQuantity(text: string): Quantity {
  const match = SHAPE.exec(text);
  const [, sign = '', whole = '', fraction = '', letters = '', digits = ''] = match ?? [];
  if (!match || (whole === '' && fraction === '')) throw new RangeError(QUANTITY_FORMAT_MESSAGE);
  const { base, exponent, format } = scaleOf(letters, digits);
  const unscaled = BigInt(whole + fraction) * (base === 2 ? 1n << BigInt(exponent) : 1n);
  const shift = 9 - fraction.length + (base === 10 ? exponent : 0);
  const nanos = shift >= 0 ? unscaled * 10n ** BigInt(shift) : roundedUp(unscaled, 10n ** BigInt(-shift));
  const capped = nanos > MAX_MILLIS * NANO ? MAX_MILLIS * NANO : nanos;
  const signed = sign === '-' ? -capped : capped;
  // A binary suffix on less than one unit prints in decimal, as upstream decides it.
  return { nanos: signed, format: format === 'BinarySI' && capped < 1024n * NANO ? 'DecimalSI' : format };
}

function scaleOf(
  letters: string,
  digits: string,
): { readonly base: 2 | 10; readonly exponent: number; readonly format: QuantityFormat } {
  if (digits === '') {
    const binary = BINARY_SUFFIXES.findIndex((suffix) => suffix !== '' && suffix === letters);
    if (binary > 0) return { base: 2, exponent: 10 * binary, format: 'BinarySI' };
    const decimal = Object.hasOwn(DECIMAL_SUFFIXES, letters) ? DECIMAL_SUFFIXES[letters] : undefined;
    if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' };
  } else if ((letters === 'e' || letters === 'E') && /^[+-]?[0-9]{1,3}$/.test(digits)) {
    return { base: 10, exponent: Number(digits), format: 'DecimalExponent' };
  }
  throw new RangeError(/^[eEinumkKMGTP]*$/.test(letters) ? QUANTITY_SUFFIX_MESSAGE : QUANTITY_FORMAT_MESSAGE);
}

function roundedUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor > 0n ? quotient + 1n : value % divisor < 0n ? quotient - 1n : quotient;
}

/** The canonical text: the largest suffix that leaves a whole number, as Go's `Quantity.String` prints it. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  if (format === 'BinarySI' && nanos % NANO === 0n && magnitude(nanos) >= 1024n * NANO)
    return binaryText(nanos / NANO);
  let exponent = -9;
  let mantissa = nanos;
  const largest = format === 'DecimalExponent' ? Number.POSITIVE_INFINITY : 18;
  while (mantissa % 1000n === 0n && exponent < largest) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  return `${mantissa}${SUFFIX_OF_EXPONENT.get(exponent) ?? ''}`;
}

function binaryText(units: bigint): string {
  let step = 0;
  let mantissa = units;
  while (mantissa % 1024n === 0n && step < BINARY_SUFFIXES.length - 1) {
    mantissa /= 1024n;
    step += 1;
  }
  return `${mantissa}${BINARY_SUFFIXES[step] ?? ''}`;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** The text in canonical form (`1000m` is `1`). Throws as {@link parseQuantity}. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** The sum, printed like `a` (like `b` when `a` is zero). */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** The difference, printed like `a` (like `b` when `a` is zero). */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** The amount in whole units, rounded up (away from zero): bytes of memory, cores. */
export function quantityValue(quantity: Quantity): bigint {
  return roundedUp(quantity.nanos, NANO);
}

/** The amount in thousandths, rounded up (away from zero): millicores. */
export function quantityMilliValue(quantity: Quantity): bigint {
  return roundedUp(quantity.nanos, 1_000_000n);
}

/** Units as a quantity. */
export function quantityOf(units: bigint | number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nanos: BigInt(units) * NANO, format };
}
