import { isDeepStrictEqual } from 'node:util';
import { parseDuration } from '../duration.ts';
import { isObject } from '../patch/json-value.ts';
import { equalValues, listContains } from './equality.ts';
import { evaluationError } from './evaluation-error.ts';
import { lookUpField } from './field-names.ts';
import { viewJson } from './json-view.ts';
import type { SchemaField, SchemaType } from './schema-type.ts';
import { parseTimestamp } from './timestamp-text.ts';
import { items, listOfValues } from './value.ts';
import type { CelList, CelMap, CelStruct, CelValue, ListMerge } from './value.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** Decoded JSON as its schema types it: integers of `number` fields are doubles, dates are timestamps. Members are viewed when read. */
export function viewTyped(json: unknown, type: SchemaType): CelValue {
  if (json === null || json === undefined) {
    if (type.schema.nullable) return null;
    return evaluationError('invalid data, got null for schema with nullable=false');
  }
  switch (type.type.kind) {
    case 'struct':
      return isObject(json) ? viewObject(json, type) : mismatch('object', json);
    case 'map':
      return isObject(json) ? viewMap(json, type) : mismatch('object', json);
    case 'list':
      return Array.isArray(json) ? viewList(json, type) : mismatch('array', json);
    case 'double':
      return typeof json === 'number' || typeof json === 'bigint' ? Number(json) : mismatch('number', json);
    case 'bytes':
      return typeof json === 'string'
        ? Uint8Array.from(Buffer.from(json, 'base64'))
        : mismatch('string', json);
    case 'timestamp':
      return viewTime(json, type.schema.props.format);
    case 'duration':
      return viewDuration(json);
    default:
      return viewJson(json);
  }
}

function mismatch(expected: string, json: unknown): never {
  return evaluationError(`invalid data, expected ${expected} type to match the schema, got: ${typeof json}`);
}

function viewTime(json: unknown, format: string | undefined): CelValue {
  const text = typeof json === 'string' ? json : mismatch('string', json);
  const parsed = parseTimestamp(format === 'date' ? `${text}T00:00:00Z` : text);
  return parsed ?? evaluationError(`Invalid ${format} formatted string ${text}`);
}

function viewDuration(json: unknown): CelValue {
  const text = typeof json === 'string' ? json : mismatch('string', json);
  try {
    return { kind: 'duration', nanos: parseDuration(text) };
  } catch (error) {
    if (error instanceof RangeError) return evaluationError(`Invalid duration ${text}: ${error.message}`);
    throw error;
  }
}

function member(json: JsonObject, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined;
}

/** A member that expressions see: null only where the schema allows it. */
function viewMember(json: JsonObject, { name, type }: SchemaField): CelValue | undefined {
  const value = member(json, name);
  if (value === undefined || (value === null && !type.schema.nullable)) return undefined;
  return viewTyped(value, type);
}

function viewObject(
  json: JsonObject,
  { type, fields = new Map<string, SchemaField>() }: SchemaType,
): CelStruct {
  return {
    kind: 'struct',
    typeName: type.kind === 'struct' ? type.name : 'object',
    get: (name) => {
      const field = lookUpField(fields, name);
      return field && viewMember(json, field);
    },
    fields: () =>
      [...fields].filter(([, field]) => viewMember(json, field) !== undefined).map(([name]) => name),
  };
}

function viewMap(json: JsonObject, { item }: SchemaType): CelMap {
  const names = (): string[] => Object.keys(json).filter((name) => json[name] !== undefined);
  return {
    kind: 'map',
    get size() {
      return names().length;
    },
    get: (key) => {
      const value = typeof key === 'string' ? member(json, key) : undefined;
      return value === undefined || !item ? undefined : viewTyped(value, item);
    },
    keys: names,
  };
}

function viewList(json: readonly unknown[], { item, schema }: SchemaType): CelList {
  const list: CelList = {
    kind: 'list',
    size: json.length,
    at: (index) => (item ? viewTyped(json[index], item) : null),
  };
  if (schema.listType === 'set') return { ...list, merge: SET_MERGE };
  if (schema.listType === 'map') return { ...list, merge: mapMerge(schema.listMapKeys) };
  return list;
}

/** Sets compare without order; `+` adds what is not there yet. */
const SET_MERGE: ListMerge = {
  equal: (left, right) =>
    left.size === right.size && items(left).every((value) => listContains(right, value)),
  concat(left, right) {
    const added = items(right).filter((value) => !listContains(left, value));
    return { ...listOfValues([...items(left), ...added]), merge: SET_MERGE };
  },
};

/** Map lists compare by key; `+` replaces items of the same key in place. */
function mapMerge(keys: readonly string[]): ListMerge {
  const keyOf = (value: CelValue): unknown[] =>
    keys.map((key) =>
      typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'struct'
        ? (value.get(key) ?? null)
        : null,
    );
  const find = (list: readonly CelValue[], value: CelValue): number =>
    list.findIndex((candidate) => isDeepStrictEqual(keyOf(candidate), keyOf(value)));
  const merge: ListMerge = {
    equal(left, right) {
      const others = items(right);
      return (
        left.size === right.size &&
        items(left).every((value) => {
          const other = others[find(others, value)];
          return other !== undefined && equalValues(value, other);
        })
      );
    },
    concat(left, right) {
      const merged = items(left);
      for (const value of items(right)) {
        const at = find(merged, value);
        if (at < 0) merged.push(value);
        else merged[at] = value;
      }
      return { ...listOfValues(merged), merge };
    },
  };
  return merge;
}
