/** A Go number literal: a bigint for an integer, a number for a float; undefined when it is neither. */
export function parseGoNumber(text: string): bigint | number | undefined {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '');
  const magnitude = parseMagnitude(digits);
  if (magnitude === undefined) return undefined;
  if (!negative) return magnitude;
  return typeof magnitude === 'bigint' ? -magnitude : -magnitude;
}

function parseMagnitude(digits: string): bigint | number | undefined {
  if (/^0[xX][\da-fA-F]+$|^0[oO][0-7]+$|^0[bB][01]+$/.test(digits)) return BigInt(digits.toLowerCase());
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  if (/^\d+$/.test(digits)) return digits.startsWith('0') && digits !== '0' ? undefined : BigInt(digits);
  const hex = /^0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([-+]?\d+)$/.exec(digits);
  if (hex) {
    const [, whole = '', fraction = '', exponent = '0'] = hex;
    return Number.parseInt(`${whole}${fraction}` || '0', 16) * 2 ** (Number(exponent) - 4 * fraction.length);
  }
  const value = Number(digits);
  return /^[\d.]/.test(digits) && Number.isFinite(value) ? value : undefined;
}
