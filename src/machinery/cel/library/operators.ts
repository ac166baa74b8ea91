import { compareValues } from '../compare.ts';
import { codePoints } from '../call-cost.ts';
import { equalValues, listContains, mapContains } from '../equality.ts';
import { evaluationError, noSuchOverload } from '../evaluation-error.ts';
import type { FunctionLibrary, OverloadSource } from '../function-table.ts';
import { asText } from '../value-guards.ts';
import { appendItems, keyOf, mapOfEntries, uint } from '../value.ts';
import type { CelValue } from '../value.ts';

const ORDERED: readonly (readonly [string, string])[] = [
  ['bool', 'bool'],
  ['int64', 'int'],
  ['uint64', 'uint'],
  ['double', 'double'],
  ['string', 'string'],
  ['bytes', 'bytes'],
  ['timestamp', 'timestamp'],
  ['duration', 'duration'],
];
const NUMERIC: readonly (readonly [string, string])[] = [
  ['int64', 'int'],
  ['uint64', 'uint'],
  ['double', 'double'],
];

/** CEL's operators, their overloads named as in cel-go. Macros expand to some of them. */
export function operators(): FunctionLibrary {
  return [
    { id: 'conditional', signature: '_?_:_(bool, A, A) -> A', run: noSuchOverload },
    { id: 'logical_and', signature: '_&&_(bool, bool) -> bool', run: noSuchOverload },
    { id: 'logical_or', signature: '_||_(bool, bool) -> bool', run: noSuchOverload },
    { id: 'logical_not', signature: '!_(bool) -> bool', run: (value) => value !== true },
    {
      id: 'not_strictly_false',
      signature: '@not_strictly_false(bool) -> bool',
      run: (value) => value !== false,
    },
    {
      id: 'equals',
      signature: '_==_(A, A) -> bool',
      run: (left = null, right = null) => equalValues(left, right),
    },
    {
      id: 'not_equals',
      signature: '_!=_(A, A) -> bool',
      run: (left = null, right = null) => !equalValues(left, right),
    },
    ...comparisons('_<_', 'less', (order) => order < 0),
    ...comparisons('_<=_', 'less_equals', (order) => order <= 0),
    ...comparisons('_>_', 'greater', (order) => order > 0),
    ...comparisons('_>=_', 'greater_equals', (order) => order >= 0),
    ...arithmetic(),
    ...containers(),
  ];
}

function comparisons(operator: string, word: string, holds: (order: number) => boolean): OverloadSource[] {
  const run = (left: CelValue = null, right: CelValue = null): CelValue => {
    if (Number.isNaN(left) || Number.isNaN(right)) return false;
    return holds(compareValues(left, right));
  };
  const same = ORDERED.map(([id, type]) => ({
    id: `${word}_${id}`,
    signature: `${operator}(${type}, ${type}) -> bool`,
    run,
  }));
  const mixed = NUMERIC.flatMap(([left, leftType]) =>
    NUMERIC.filter(([right]) => right !== left).map(([right, rightType]) => ({
      id: `${word}_${left}_${right}`,
      signature: `${operator}(${leftType}, ${rightType}) -> bool`,
      run,
    })),
  );
  return [...same, ...mixed];
}

const MIN_INT = -(1n << 63n);
const MAX_INT = (1n << 63n) - 1n;
const MAX_UINT = (1n << 64n) - 1n;
const MIN_INSTANT = -62_135_596_800n * 1_000_000_000n;
const MAX_INSTANT = 253_402_300_799n * 1_000_000_000n + 999_999_999n;

function int(value: bigint): bigint {
  return value < MIN_INT || value > MAX_INT ? evaluationError('integer overflow') : value;
}

function unsigned(value: bigint): CelValue {
  return value < 0n || value > MAX_UINT ? evaluationError('unsigned integer overflow') : uint(value);
}

function duration(nanos: bigint): CelValue {
  return nanos < MIN_INT || nanos > MAX_INT
    ? evaluationError('integer overflow')
    : { kind: 'duration', nanos };
}

function instant(nanos: bigint): CelValue {
  if (nanos < MIN_INSTANT || nanos > MAX_INSTANT) return evaluationError('timestamp overflow');
  return { kind: 'timestamp', nanos };
}

type IntOperation = (left: bigint, right: bigint) => bigint;

function numbers(
  operator: string,
  word: string,
  operations: { readonly int: IntOperation; readonly double?: (left: number, right: number) => number },
): OverloadSource[] {
  const sources: OverloadSource[] = [
    {
      id: `${word}_int64`,
      signature: `${operator}(int, int) -> int`,
      run: (left, right) => int(operations.int(left as bigint, right as bigint)),
    },
    {
      id: `${word}_uint64`,
      signature: `${operator}(uint, uint) -> uint`,
      run: (left, right) => unsigned(operations.int(unsignedValue(left), unsignedValue(right))),
    },
  ];
  const { double } = operations;
  if (!double) return sources;
  const run = (left?: CelValue, right?: CelValue): CelValue => double(left as number, right as number);
  return [...sources, { id: `${word}_double`, signature: `${operator}(double, double) -> double`, run }];
}

function unsignedValue(value: CelValue | undefined): bigint {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'uint'
    ? value.value
    : noSuchOverload();
}

function nanosOf(value: CelValue | undefined): bigint {
  return typeof value === 'object' && value !== null && 'nanos' in value ? value.nanos : noSuchOverload();
}

function divided(message: string, operation: IntOperation): IntOperation {
  return (left, right) => (right === 0n ? evaluationError(message) : operation(left, right));
}

function arithmetic(): FunctionLibrary {
  return [
    ...numbers('_+_', 'add', { int: (left, right) => left + right, double: (left, right) => left + right }),
    ...numbers('_-_', 'subtract', {
      int: (left, right) => left - right,
      double: (left, right) => left - right,
    }),
    ...numbers('_*_', 'multiply', {
      int: (left, right) => left * right,
      double: (left, right) => left * right,
    }),
    ...numbers('_/_', 'divide', {
      int: divided('division by zero', (left, right) => left / right),
      double: (left, right) => left / right,
    }),
    ...numbers('_%_', 'modulo', { int: divided('modulus by zero', (left, right) => left % right) }),
    { id: 'negate_int64', signature: '-_(int) -> int', run: (value) => int(-(value as bigint)) },
    { id: 'negate_double', signature: '-_(double) -> double', run: (value) => -(value as number) },
    {
      id: 'add_string',
      signature: '_+_(string, string) -> string',
      run: (left, right) => asText(left) + asText(right),
    },
    {
      id: 'add_bytes',
      signature: '_+_(bytes, bytes) -> bytes',
      run: (left, right) => Uint8Array.from([...(left as Uint8Array), ...(right as Uint8Array)]),
    },
    ...instants('_+_(timestamp, duration) -> timestamp', 'add_timestamp_duration', (left, right) =>
      instant(left + right),
    ),
    ...instants('_+_(duration, timestamp) -> timestamp', 'add_duration_timestamp', (left, right) =>
      instant(left + right),
    ),
    ...instants('_+_(duration, duration) -> duration', 'add_duration_duration', (left, right) =>
      duration(left + right),
    ),
    ...instants('_-_(timestamp, timestamp) -> duration', 'subtract_timestamp_timestamp', (left, right) =>
      duration(left - right),
    ),
    ...instants('_-_(timestamp, duration) -> timestamp', 'subtract_timestamp_duration', (left, right) =>
      instant(left - right),
    ),
    ...instants('_-_(duration, duration) -> duration', 'subtract_duration_duration', (left, right) =>
      duration(left - right),
    ),
  ];
}

function instants(
  signature: string,
  id: string,
  operation: (left: bigint, right: bigint) => CelValue,
): OverloadSource[] {
  return [{ id, signature, run: (left, right) => operation(nanosOf(left), nanosOf(right)) }];
}

function containers(): FunctionLibrary {
  const { insert } = mapInsertion();
  return [
    { id: 'add_list', signature: '_+_(list(A), list(A)) -> list(A)', run: concat },
    {
      id: 'in_list',
      signature: '@in(A, list(A)) -> bool',
      run: (value = null, list = null) => isIn(value, list),
    },
    {
      id: 'in_map',
      signature: '@in(A, map(A, B)) -> bool',
      run: (value = null, map = null) => isIn(value, map),
    },
    { id: 'index_list', signature: '_[_](list(A), int) -> A', run: noSuchOverload },
    { id: 'index_map', signature: '_[_](map(A, B), A) -> B', run: noSuchOverload },
    {
      id: 'optional_list_index_int',
      signature: '_[_](optional_type(list(V)), int) -> optional_type(V)',
      run: noSuchOverload,
    },
    {
      id: 'optional_map_index_value',
      signature: '_[_](optional_type(map(K, V)), K) -> optional_type(V)',
      run: noSuchOverload,
    },
    {
      id: 'list_optindex_optional_int',
      signature: '_[?_](list(V), int) -> optional_type(V)',
      run: noSuchOverload,
    },
    {
      id: 'optional_list_optindex_optional_int',
      signature: '_[?_](optional_type(list(V)), int) -> optional_type(V)',
      run: noSuchOverload,
    },
    {
      id: 'map_optindex_optional_value',
      signature: '_[?_](map(K, V), K) -> optional_type(V)',
      run: noSuchOverload,
    },
    {
      id: 'optional_map_optindex_optional_value',
      signature: '_[?_](optional_type(map(K, V)), K) -> optional_type(V)',
      run: noSuchOverload,
    },
    { id: 'size_string', signature: 'size(string) -> int', run: sizeOfValue },
    { id: 'size_bytes', signature: 'size(bytes) -> int', run: sizeOfValue },
    { id: 'size_list', signature: 'size(list(A)) -> int', run: sizeOfValue },
    { id: 'size_map', signature: 'size(map(A, B)) -> int', run: sizeOfValue },
    { id: 'string_size', signature: '<string>.size() -> int', run: sizeOfValue },
    { id: 'bytes_size', signature: '<bytes>.size() -> int', run: sizeOfValue },
    { id: 'list_size', signature: '<list(A)>.size() -> int', run: sizeOfValue },
    { id: 'map_size', signature: '<map(A, B)>.size() -> int', run: sizeOfValue },
    {
      id: '@mapInsert_map_key_value',
      signature: 'cel.@mapInsert(map(K, V), K, V) -> map(K, V)',
      run: (map = null, key = null, value = null) => insert(map, [[key, value]]),
    },
    {
      id: '@mapInsert_map_map',
      signature: 'cel.@mapInsert(map(K, V), map(K, V)) -> map(K, V)',
      run: (map = null, added = null) => insert(map, entriesOf(added)),
    },
  ];
}

function concat(left: CelValue = null, right: CelValue = null): CelValue {
  if (!isList(left) || !isList(right)) return noSuchOverload();
  return left.merge ? left.merge.concat(left, right) : appendItems(left, right);
}

function isList(value: CelValue): value is Extract<CelValue, { readonly kind: 'list' }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'list';
}

function isMap(value: CelValue): value is Extract<CelValue, { readonly kind: 'map' }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'map';
}

function isIn(value: CelValue, container: CelValue): CelValue {
  if (isList(container)) return listContains(container, value);
  return isMap(container) ? mapContains(container, value) : noSuchOverload();
}

function sizeOfValue(value: CelValue = null): CelValue {
  if (typeof value === 'string') return BigInt(codePoints(value));
  if (value instanceof Uint8Array) return BigInt(value.length);
  return isList(value) || isMap(value) ? BigInt(value.size) : noSuchOverload();
}

/** Inserts without copying what a fold already collected: only macros call this, and each map only once. */
function mapInsertion(): {
  readonly insert: (map: CelValue, added: readonly (readonly [CelValue, CelValue])[]) => CelValue;
} {
  const collected = new WeakMap<object, Map<string, readonly [CelValue, CelValue]>>();
  return {
    insert(map, added) {
      if (!isMap(map)) return noSuchOverload();
      const known = collected.get(map) ?? new Map(entriesOf(map).map((entry) => [keyOf(entry[0]), entry]));
      for (const entry of added) {
        const id = keyOf(entry[0]);
        if (known.has(id)) return evaluationError(`insert failed: key ${id.slice(1)} already exists`);
        known.set(id, entry);
      }
      const grown = mapOfEntries(known);
      collected.set(grown, known);
      return grown;
    },
  };
}

function entriesOf(map: CelValue): (readonly [CelValue, CelValue])[] {
  return isMap(map) ? map.keys().map((key) => [key, map.get(key) ?? null] as const) : noSuchOverload();
}
