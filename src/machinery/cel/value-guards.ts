import { noSuchOverload } from './evaluation-error.ts';
import type {
  CelDuration,
  CelList,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelUint,
  CelValue,
} from './value.ts';

type Tagged = Exclude<CelValue, null | boolean | bigint | number | string | Uint8Array>;

/** The value when it has a `kind` of its own; undefined for JavaScript's own types. */
export function tagged(value: CelValue | undefined): Tagged | undefined {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) ? value : undefined;
}

function ofKind<K extends Tagged['kind']>(
  kind: K,
): (value: CelValue | undefined) => Extract<Tagged, { readonly kind: K }> {
  return (value) => {
    const found = tagged(value);
    return found?.kind === kind ? (found as Extract<Tagged, { readonly kind: K }>) : noSuchOverload();
  };
}

export const asList: (value: CelValue | undefined) => CelList = ofKind('list');
export const asUint: (value: CelValue | undefined) => CelUint = ofKind('uint');
export const asTimestamp: (value: CelValue | undefined) => CelTimestamp = ofKind('timestamp');
export const asDuration: (value: CelValue | undefined) => CelDuration = ofKind('duration');
export const asOptional: (value: CelValue | undefined) => CelOptional = ofKind('optional');
export const asOpaque: (value: CelValue | undefined) => CelOpaque = ofKind('opaque');

export function asText(value: CelValue | undefined): string {
  return typeof value === 'string' ? value : noSuchOverload();
}

export function asInt(value: CelValue | undefined): bigint {
  return typeof value === 'bigint' ? value : noSuchOverload();
}

export function asDouble(value: CelValue | undefined): number {
  return typeof value === 'number' ? value : noSuchOverload();
}

export function asBytes(value: CelValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : noSuchOverload();
}
