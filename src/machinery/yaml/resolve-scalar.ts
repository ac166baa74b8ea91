/** What a plain scalar means to Go's YAML 1.1 library, on which sigs.k8s.io/yaml and so kubectl stand. */
export type ScalarMeaning =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'number'; readonly value: number | bigint }
  | { readonly type: 'merge' }
  | { readonly type: 'string' };

const words: ReadonlyMap<string, ScalarMeaning> = new Map<string, ScalarMeaning>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, { type: 'null' }] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    (word) => [word, { type: 'bool', value: true }] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (word) => [word, { type: 'bool', value: false }] as const,
  ),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, { type: 'number', value: Number.NaN }] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(
    (word) => [word, { type: 'number', value: Infinity }] as const,
  ),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, { type: 'number', value: -Infinity }] as const),
  ['<<', { type: 'merge' }],
]);

const string: ScalarMeaning = { type: 'string' };
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const integers: readonly (readonly [pattern: RegExp, prefix: string])[] = [
  [/^[-+]?(?:0|[1-9][0-9]*)$/, ''],
  [/^[-+]?0[xX][0-9a-fA-F]+$/, '0x'],
  [/^[-+]?0b[01]+$/, '0b'],
  [/^[-+]?0o?[0-7]+$/, '0o'],
];
const MAX_UINT64 = (1n << 64n) - 1n;
const MIN_INT64 = -(1n << 63n);

/** Integers beyond 2^53 and within 64 bits are bigint. */
export function resolveScalar(text: string): ScalarMeaning {
  const word = words.get(text);
  if (word) return word;
  if (!/^[-+.0-9]/.test(text)) return string;
  const plain = text.replaceAll('_', '');
  const value = text.startsWith('.') ? undefined : integerOf(plain);
  if (value !== undefined) return { type: 'number', value };
  return float.test(plain) ? { type: 'number', value: Number(plain) } : string;
}

function integerOf(plain: string): number | bigint | undefined {
  const prefix = integers.find(([pattern]) => pattern.test(plain))?.[1];
  if (prefix === undefined) return undefined;
  const digits = plain.replace(/^[-+]/, '').replace(/^0[xXbo]?(?=.)/, '');
  const magnitude = BigInt(`${prefix}${digits}`);
  const exact = plain.startsWith('-') ? -magnitude : magnitude;
  if (exact > MAX_UINT64 || exact < MIN_INT64) return undefined;
  const value = Number(exact);
  return Number.isSafeInteger(value) ? value : exact;
}
