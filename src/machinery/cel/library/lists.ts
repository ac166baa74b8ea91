import { compareValues } from '../compare.ts';
import { equalValues, listContains } from '../equality.ts';
import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asInt, asList, tagged } from '../value-guards.ts';
import { items, listOfValues, typeNameOf, uint } from '../value.ts';
import type { CelList, CelValue } from '../value.ts';

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'] as const;
const SUMMABLE = ['int', 'uint', 'double', 'duration'] as const;
const PROTO_NAMES: Readonly<Record<string, string>> = {
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
};

/** Kubernetes' list functions and cel-go's lists extension, version 3. */
export function listFunctions(): FunctionLibrary {
  return [
    ...COMPARABLE.flatMap(ordered),
    ...SUMMABLE.map((type) => ({
      id: `list_${type}_sum`,
      signature: `<list(${type})>.sum() -> ${type}`,
      run: (list?: CelValue) => sum(asList(list), type),
    })),
    { id: 'list_a_index_of_int', signature: '<list(T)>.indexOf(T) -> int', run: indexOf },
    { id: 'list_a_last_index_of_int', signature: '<list(T)>.lastIndexOf(T) -> int', run: lastIndexOf },
    { id: 'list_slice', signature: '<list(T)>.slice(int, int) -> list(T)', run: slice },
    {
      id: 'list_flatten',
      signature: '<list(list(T))>.flatten() -> list(T)',
      run: (list) => listOfValues(flatten(asList(list), 1n)),
    },
    {
      id: 'list_flatten_int',
      signature: '<list(dyn)>.flatten(int) -> list(dyn)',
      run: (list, depth) => listOfValues(flatten(asList(list), asInt(depth))),
    },
    { id: 'lists_range', signature: 'lists.range(int) -> list(int)', run: (size) => range(asInt(size)) },
    {
      id: 'list_reverse',
      signature: '<list(T)>.reverse() -> list(T)',
      run: (list) => listOfValues(items(asList(list)).toReversed()),
    },
    {
      id: 'list_distinct',
      signature: '<list(T)>.distinct() -> list(T)',
      run: (list) => distinct(asList(list)),
    },
  ];
}

function ordered(type: (typeof COMPARABLE)[number]): FunctionLibrary {
  const protoName = PROTO_NAMES[type] ?? type;
  return [
    {
      id: `list_${type}_is_sorted_bool`,
      signature: `<list(${type})>.isSorted() -> bool`,
      run: (list) => isSorted(asList(list)),
    },
    {
      id: `list_${type}_min_self`,
      signature: `<list(${type})>.min() -> ${type}`,
      run: (list) => extreme(asList(list), 'min'),
    },
    {
      id: `list_${type}_max_self`,
      signature: `<list(${type})>.max() -> ${type}`,
      run: (list) => extreme(asList(list), 'max'),
    },
    {
      id: `list_${protoName}_sort`,
      signature: `<list(${type})>.sort() -> list(${type})`,
      run: (list) => sortBy(asList(list), asList(list)),
    },
    {
      id: `list_${protoName}_sortByAssociatedKeys`,
      signature: `<list(T)>.@sortByAssociatedKeys(list(${type})) -> list(T)`,
      run: (list, keys) => sortBy(asList(list), asList(keys)),
    },
  ];
}

function isSorted(list: CelList): boolean {
  for (let index = 1; index < list.size; index++) {
    if (compareValues(list.at(index - 1), list.at(index)) > 0) return false;
  }
  return true;
}

function extreme(list: CelList, which: 'min' | 'max'): CelValue {
  if (list.size === 0) return evaluationError(`${which} called on empty list`);
  return items(list).reduce((best, item) => {
    const order = compareValues(item, best);
    return (which === 'min' ? order < 0 : order > 0) ? item : best;
  });
}

const MIN_INT = -(1n << 63n);
const MAX_INT = (1n << 63n) - 1n;

function sum(list: CelList, type: (typeof SUMMABLE)[number]): CelValue {
  if (type === 'double') return items(list).reduce<number>((total, item) => total + Number(item), 0);
  const total = items(list).reduce<bigint>((sofar, item) => {
    const next = sofar + wholeOf(item);
    const fits = type === 'uint' ? next < 1n << 64n : next >= MIN_INT && next <= MAX_INT;
    return fits ? next : evaluationError(type === 'uint' ? 'unsigned integer overflow' : 'integer overflow');
  }, 0n);
  if (type === 'uint') return uint(total);
  return type === 'duration' ? { kind: 'duration', nanos: total } : total;
}

function wholeOf(item: CelValue): bigint {
  if (typeof item === 'bigint') return item;
  const own = tagged(item);
  if (own?.kind === 'uint') return own.value;
  return own?.kind === 'duration' ? own.nanos : evaluationError('no such overload');
}

function indexOf(list?: CelValue, item: CelValue = null): CelValue {
  return BigInt(items(asList(list)).findIndex((candidate) => equalValues(candidate, item)));
}

function lastIndexOf(list?: CelValue, item: CelValue = null): CelValue {
  return BigInt(items(asList(list)).findLastIndex((candidate) => equalValues(candidate, item)));
}

function slice(list?: CelValue, from?: CelValue, to?: CelValue): CelValue {
  const start = asInt(from);
  const end = asInt(to);
  const subject = asList(list);
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) return evaluationError(`${call}, negative indexes not supported`);
  if (start > end) return evaluationError(`${call}, start index must be less than or equal to end index`);
  if (BigInt(subject.size) < end) return evaluationError(`${call}, list is length ${subject.size}`);
  return listOfValues(items(subject).slice(Number(start), Number(end)));
}

function flatten(list: CelList, depth: bigint): CelValue[] {
  if (depth < 0n) return evaluationError('level must be non-negative');
  return items(list).flatMap((item) => {
    const own = tagged(item);
    return own?.kind === 'list' && depth > 0n ? flatten(own, depth - 1n) : [item];
  });
}

const MAX_RANGE = 10_000_000n;

function range(size: bigint): CelValue {
  if (size < 0n) return evaluationError(`lists.range: size must be non-negative, got ${size}`);
  if (size > MAX_RANGE) {
    return evaluationError(`lists.range: size ${size} exceeds maximum allowed (${MAX_RANGE})`);
  }
  return { kind: 'list', size: Number(size), at: (index) => BigInt(index) };
}

function distinct(list: CelList): CelValue {
  const seen: CelValue[] = [];
  for (const item of items(list)) {
    if (!listContains(listOfValues(seen), item)) seen.push(item);
  }
  return listOfValues(seen);
}

function sortBy(list: CelList, keys: CelList): CelValue {
  const keyed = items(keys);
  const [first] = keyed;
  if (first === undefined) return list;
  if (keyed.some((key) => typeNameOf(key) !== typeNameOf(first))) {
    return evaluationError('list elements must have the same type');
  }
  const order = keyed.map((_, index) => index);
  order.sort((left, right) => compareValues(keyed[left] ?? null, keyed[right] ?? null));
  return listOfValues(order.map((index) => list.at(index)));
}
