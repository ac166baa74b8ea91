/** A count, or a percentage such as `25%`. */
export type IntOrString = number | string;

/** Which way a share that is no whole number goes. */
export type Rounding = 'up' | 'down';

/** The count that `value` means of `total`. Throws `RangeError` for a text that is no percentage. */
export function scaledValue(value: IntOrString, total: number, rounding: Rounding): number {
  if (typeof value === 'number') return value;
  if (!value.endsWith('%'))
    throw new RangeError('invalid value for IntOrString: invalid type: string is not a percentage');
  const percent = percentOf(value);
  if (percent === undefined) {
    const digits = value.slice(0, -1);
    throw new RangeError(
      `invalid value for IntOrString: invalid value ${JSON.stringify(value)}: strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`,
    );
  }
  const share = (percent * total) / 100;
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share);
}

/** 25 for `25%`; undefined for anything else. */
function percentOf(value: IntOrString): number | undefined {
  return typeof value === 'string' && /^[+-]?[0-9]+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
}
