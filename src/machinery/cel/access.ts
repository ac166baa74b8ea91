import { evaluationError, noSuchOverload } from './evaluation-error.ts';
import { NONE, keyOf, some, typeNameOf } from './value.ts';
import type { CelList, CelOptional, CelValue } from './value.ts';

/** A member of an object or map; undefined when it is not set. Throws for values without members. */
export function findField(value: CelValue, field: string): CelValue | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return noSuchOverload();
  if (value.kind === 'map' || value.kind === 'struct') return value.get(field);
  return noSuchOverload();
}

/** `value.field`, on optional values as cel-go chains them. */
export function selectField(value: CelValue, field: string): CelValue {
  if (isOptional(value)) return optionalField(value, field);
  return findField(value, field) ?? evaluationError(`no such key: ${field}`);
}

/** `value.?field`. */
export function optionalField(value: CelValue, field: string): CelOptional {
  const target = isOptional(value) ? value.value : value;
  const found = target === undefined ? undefined : findField(target, field);
  return found === undefined ? NONE : some(found);
}

/** `has(value.field)`. */
export function hasField(value: CelValue, field: string): boolean {
  if (isOptional(value)) return value.value !== undefined && findField(value.value, field) !== undefined;
  return findField(value, field) !== undefined;
}

export function isOptional(value: CelValue): value is CelOptional {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === 'optional'
  );
}

/** `value[index]`, on optional values as cel-go chains them. */
export function selectIndex(value: CelValue, index: CelValue): CelValue {
  if (isOptional(value)) return optionalIndex(value, index);
  const found = findIndex(value, index);
  if (found !== undefined) return found;
  return typeof value === 'object' &&
    value !== null &&
    !(value instanceof Uint8Array) &&
    value.kind === 'list'
    ? evaluationError(`index out of bounds: ${printKey(index)}`)
    : evaluationError(`no such key: ${printKey(index)}`);
}

/** `value[?index]`. */
export function optionalIndex(value: CelValue, index: CelValue): CelOptional {
  const target = isOptional(value) ? value.value : value;
  const found = target === undefined ? undefined : findIndex(target, index);
  return found === undefined ? NONE : some(found);
}

function findIndex(value: CelValue, index: CelValue): CelValue | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return noSuchOverload();
  if (value.kind === 'map') return value.get(index);
  if (value.kind === 'struct') return typeof index === 'string' ? value.get(index) : noSuchOverload();
  if (value.kind !== 'list') return noSuchOverload();
  const at = listIndex(value, index);
  return at === undefined ? undefined : value.at(at);
}

function listIndex(list: CelList, index: CelValue): number | undefined {
  let at: number;
  if (typeof index === 'bigint') at = Number(index);
  else if (typeof index === 'number' && Number.isInteger(index)) at = index;
  else if (typeof index === 'object' && index !== null && 'kind' in index && index.kind === 'uint') {
    at = Number(index.value);
  } else return evaluationError(`unsupported index type '${typeNameOf(index)}' in list`);
  return at >= 0 && at < list.size ? at : undefined;
}

function printKey(key: CelValue): string {
  return keyOf(key).slice(1);
}
