import type { CelType } from './cel-type.ts';

/** An unsigned 64-bit number. */
export interface CelUint {
  readonly kind: 'uint';
  readonly value: bigint;
}

/** An instant: nanoseconds since the Unix epoch. */
export interface CelTimestamp {
  readonly kind: 'timestamp';
  readonly nanos: bigint;
}

export interface CelDuration {
  readonly kind: 'duration';
  readonly nanos: bigint;
}

export interface CelList {
  readonly kind: 'list';
  readonly size: number;
  readonly at: (index: number) => CelValue;
  /** How lists of a schema merge and compare: by order (absent), as sets, or by keys. */
  readonly merge?: ListMerge;
}

/** Equality and `+` of lists whose schema calls them sets or maps. */
export interface ListMerge {
  readonly equal: (left: CelList, right: CelList) => boolean;
  readonly concat: (left: CelList, right: CelList) => CelList;
}

export interface CelMap {
  readonly kind: 'map';
  readonly size: number;
  /** The value of a key; undefined when the map has no such key. */
  readonly get: (key: CelValue) => CelValue | undefined;
  readonly keys: () => readonly CelValue[];
}

/** An object of a declared type. */
export interface CelStruct {
  readonly kind: 'struct';
  readonly typeName: string;
  /** A field that is set; undefined when it is not. */
  readonly get: (field: string) => CelValue | undefined;
  readonly fields: () => readonly string[];
}

export interface CelTypeValue {
  readonly kind: 'type';
  readonly name: string;
}

export interface CelOptional {
  readonly kind: 'optional';
  /** Absent for `optional.none()`. */
  readonly value?: CelValue;
}

/** A value of a library's own type; `payload` is the library's business. */
export interface CelOpaque {
  readonly kind: 'opaque';
  readonly typeName: string;
  readonly payload: object;
  readonly equals: (other: object) => boolean;
}

/** What an expression computes: int is bigint, double is number. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelList
  | CelMap
  | CelStruct
  | CelTypeValue
  | CelOptional
  | CelOpaque;

export function uint(value: bigint): CelUint {
  return { kind: 'uint', value };
}

export function listOfValues(items: readonly CelValue[]): CelList {
  return { kind: 'list', size: items.length, at: (index) => items[index] ?? null };
}

/** A list made by `+`: `backing` holds its items first and may have grown beyond it since. */
interface GrownList extends CelList {
  readonly backing: CelValue[];
}

function isGrown(list: CelList): list is GrownList {
  return 'backing' in list;
}

/** The items of both lists. Appending to the result of an append copies nothing, so that folds stay linear. */
export function appendItems(left: CelList, right: CelList): CelList {
  const backing = isGrown(left) && left.backing.length === left.size ? left.backing : items(left);
  for (let index = 0; index < right.size; index++) backing.push(right.at(index));
  const grown: GrownList = {
    kind: 'list',
    size: left.size + right.size,
    at: (index) => backing[index] ?? null,
    backing,
  };
  return grown;
}

export function items(list: CelList): CelValue[] {
  return Array.from({ length: list.size }, (_, index) => list.at(index));
}

/** A map of exactly these entries; number keys of equal value are the same key. */
export function mapOfEntries(entries: ReadonlyMap<string, readonly [CelValue, CelValue]>): CelMap {
  return {
    kind: 'map',
    size: entries.size,
    get: (key) => entries.get(keyOf(key))?.[1],
    keys: () => [...entries.values()].map(([key]) => key),
  };
}

/** A text that is equal for equal map keys. */
export function keyOf(key: CelValue): string {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (typeof key === 'number') return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  return key !== null && !(key instanceof Uint8Array) && key.kind === 'uint' ? `n${key.value}` : '';
}

export const NONE: CelOptional = { kind: 'optional' };

export function some(value: CelValue): CelOptional {
  return { kind: 'optional', value };
}

/** The name of a value's type at run time, as `type()` and error messages name it. */
export function typeNameOf(value: CelValue): string {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
  }
  if (value instanceof Uint8Array) return 'bytes';
  switch (value.kind) {
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'struct':
    case 'opaque':
      return value.typeName;
    case 'optional':
      return 'optional_type';
    default:
      return value.kind;
  }
}

/** The runtime name of a declared type. */
export function runtimeTypeName(type: CelType): string {
  switch (type.kind) {
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'struct':
    case 'opaque':
    case 'param':
      return type.name;
    default:
      return type.kind;
  }
}
