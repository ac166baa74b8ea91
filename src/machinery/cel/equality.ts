import { keyOf } from './value.ts';
import type { CelList, CelMap, CelStruct, CelValue } from './value.ts';

/** CEL's `==`: numbers of different types compare by value, other types differ. */
export function equalValues(left: CelValue, right: CelValue): boolean {
  if (left === right) return true;
  const leftNumber = numberOf(left);
  if (leftNumber !== undefined) return equalNumbers(leftNumber, numberOf(right));
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false;
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    return left instanceof Uint8Array && right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  }
  switch (left.kind) {
    case 'timestamp':
    case 'duration':
      return right.kind === left.kind && left.nanos === right.nanos;
    case 'list':
      return right.kind === 'list' && equalLists(left, right);
    case 'map':
      return right.kind === 'map' && equalMaps(left, right);
    case 'struct':
      return right.kind === 'struct' && equalStructs(left, right);
    case 'type':
      return right.kind === 'type' && left.name === right.name;
    case 'optional':
      if (right.kind !== 'optional') return false;
      if (left.value === undefined || right.value === undefined) return left.value === right.value;
      return equalValues(left.value, right.value);
    case 'opaque':
      return right.kind === 'opaque' && left.typeName === right.typeName && left.equals(right.payload);
    default:
      return false;
  }
}

/** The number that a numeric value stands for; undefined for every other value. */
export function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  return value.kind === 'uint' ? value.value : undefined;
}

function equalNumbers(left: bigint | number, right: bigint | number | undefined): boolean {
  // eslint-disable-next-line eqeqeq -- compares a bigint and a number by value
  return right !== undefined && left == right;
}

function equalLists(left: CelList, right: CelList): boolean {
  if (left.merge) return left.merge.equal(left, right);
  if (right.merge) return right.merge.equal(right, left);
  if (left.size !== right.size) return false;
  for (let index = 0; index < left.size; index++) {
    if (!equalValues(left.at(index), right.at(index))) return false;
  }
  return true;
}

function equalMaps(left: CelMap, right: CelMap): boolean {
  if (left.size !== right.size) return false;
  return left.keys().every((key) => {
    const value = left.get(key);
    const other = right.get(key);
    return value !== undefined && other !== undefined && equalValues(value, other);
  });
}

function equalStructs(left: CelStruct, right: CelStruct): boolean {
  const fields = left.fields();
  if (left.typeName !== right.typeName || fields.length !== right.fields().length) return false;
  return fields.every((field) => {
    const value = left.get(field);
    const other = right.get(field);
    return value !== undefined && other !== undefined && equalValues(value, other);
  });
}

/** Whether the list has an item equal to the value. */
export function listContains(list: CelList, value: CelValue): boolean {
  for (let index = 0; index < list.size; index++) {
    if (equalValues(list.at(index), value)) return true;
  }
  return false;
}

/** Whether the map has the key. */
export function mapContains(map: CelMap, key: CelValue): boolean {
  return keyOf(key) !== '' && map.get(key) !== undefined;
}
