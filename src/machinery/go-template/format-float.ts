/** A `float64` as Go's `%v` prints it: the shortest digits that are it, with an exponent below 1e-4 and from 1e6 on. */
export function formatShortest(value: number): string {
  if (!Number.isFinite(value)) return special(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const exponent = decimalExponent(value);
  return exponent < -4 || exponent >= SHORTEST_LIMIT ? scientific(value.toExponential()) : decimal(value);
}

/** What `strconv` takes for the precision when it decides about an exponent for the shortest form. */
const SHORTEST_LIMIT = 6;

/** A positive number by one of `e E f F g G`; without a precision six digits for `e` and `f`, the shortest for `g`. */
export function formatFloat(value: number, verb: string, precision: number | undefined): string {
  if (!Number.isFinite(value)) return special(value).replace(/^\+/, '');
  switch (verb) {
    case 'e':
    case 'E': {
      const text = scientific(value.toExponential(precision ?? 6));
      return verb === 'E' ? text.toUpperCase() : text;
    }
    case 'f':
    case 'F':
      return value.toFixed(precision ?? 6);
    default: {
      const text = precision === undefined ? formatShortest(value) : general(value, Math.max(1, precision));
      return verb === 'G' ? text.toUpperCase() : text;
    }
  }
}

function general(value: number, precision: number): string {
  if (value === 0) return '0';
  const text = value.toExponential(precision - 1);
  const exponent = Number(text.slice(text.indexOf('e') + 1));
  if (exponent < -4 || exponent >= precision) {
    const [digits = '', power = ''] = text.split('e');
    return scientific(`${stripZeros(digits)}e${power}`);
  }
  return stripZeros(value.toFixed(Math.max(0, precision - 1 - exponent)));
}

function stripZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function special(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function decimalExponent(value: number): number {
  const text = value.toExponential();
  return Number(text.slice(text.indexOf('e') + 1));
}

function decimal(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  const [digits = '', power = '0'] = text.split('e');
  return value.toFixed(Math.min(100, Math.max(0, digits.replace(/^-?\d+\.?/, '').length - Number(power))));
}

/** Go writes at least two digits of the exponent. */
function scientific(text: string): string {
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}
