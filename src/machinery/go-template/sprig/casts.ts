import { isTemplateMap, type TemplateMap } from '../template-value.ts';

/** Anything as an integer, as spf13/cast reads it; 0 for what is none. */
export function toInteger(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'string') return 0n;
  const text = value.trim();
  if (/^[-+]?\d+$/.test(text)) return BigInt(text.replace(/^\+/, ''));
  return /^0[xX][\da-fA-F]+$|^0[oO][0-7]+$|^0[bB][01]+$/.test(text) ? BigInt(text.toLowerCase()) : 0n;
}

export function toFloat(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : 0;
  return Number.isNaN(number) ? 0 : number;
}

/** A list argument; throws what sprig says of anything else. */
export function toList(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`${name}: cannot be applied to what is not a list`);
}

export function toMap(value: unknown): TemplateMap {
  return isTemplateMap(value) ? value : {};
}

/** As JSON holds it: Go's integers become numbers. */
export function jsonOf(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(jsonOf);
  if (!isTemplateMap(value)) return value ?? null;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, jsonOf(value[key])]),
  );
}
