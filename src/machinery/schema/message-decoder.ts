import { canonicalQuantity, QUANTITY_FORMAT_MESSAGE } from '../quantity.ts';
import { formatDuration, parseDuration } from '../duration.ts';
import type { JsonReader } from '../json/json-reader.ts';
import { fieldPath, readAny } from '../json/parse-json.ts';
import { setOwn } from '../json/own-property.ts';
import { checkBase64 } from './base64.ts';
import { DecodeError } from './decode-error.ts';
import { goMessageType, goStructName, goType } from './go-type.ts';
import { isLeftOut } from './omitempty.ts';
import { canonicalTime } from './parse-time.ts';
import type { FieldSchema, FieldType, MessageSchema, SchemaTable } from './schema.ts';
import { fillZeros, zeroOf } from './zero.ts';

const MAX_STRICT_ERRORS = 100;
const MAX_INT64 = 9_223_372_036_854_775_807n;

/** A quantity that is canonical already: no suffix holds more of it. */
const shortQuantity = /^[1-9][0-9]{0,2}(?:[numkMGTP]|[KMGTP]i)?$/;

/**
 * One pass over one document, as Go's decoder goes: a value of the wrong type is noted and passed over, the first one is
 * the error in the end; an error of a type with a decoder of its own (a quantity, a time) comes before those.
 */
export class MessageDecoder {
  readonly strict: string[] = [];
  readonly #reader: JsonReader;
  readonly #table: SchemaTable;
  readonly #path: (string | number)[] = [];
  /** The names of struct fields in the path, which is all that type errors show. */
  readonly #fields: string[] = [];
  #struct: MessageSchema | undefined;
  #typeError: string | undefined;
  #fatalError: string | undefined;
  /** Inside a type with a decoder of its own: the struct and the number of fields that lead to it, which its errors show. */
  #custom: { readonly struct: MessageSchema | undefined; readonly fields: number } | undefined;

  constructor(reader: JsonReader, table: SchemaTable) {
    this.#reader = reader;
    this.#table = table;
  }

  /** The object at the reader's cursor; errors wait for {@link throwErrors}, since bad syntax later on comes first. */
  decode(message: string): Record<string, unknown> {
    const object = this.#message(this.#table.get(message));
    return object ?? (zeroOf({ type: 'message', message }, this.#table) as Record<string, unknown>);
  }

  throwErrors(): void {
    const problem = this.#fatalError ?? this.#typeError;
    if (problem !== undefined) throw new DecodeError(problem);
  }

  /** As Go's decoder does, a field that is there twice is decoded into what it held before: structs and maps are united. */
  #message(
    message: MessageSchema,
    object: Record<string, unknown> = {},
  ): Record<string, unknown> | undefined {
    const reader = this.#reader;
    if (reader.kind() !== 'object') return this.#mismatch(goMessageType(message.name));
    const seen: string[] = [];
    const outer = this.#struct;
    reader.enter();
    for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
      const field = message.fields.get(key);
      this.#path.push(key);
      if (!field) {
        this.#report('unknown');
        reader.skip();
      } else {
        if (seen.includes(key)) this.#report('duplicate');
        else seen.push(key);
        this.#struct = message;
        this.#fields.push(key);
        const unchanged = reader.kind() === 'null' && !field.pointer;
        const value = this.#field(field, object[key]);
        if (value !== undefined) object[key] = value;
        else if (!unchanged) delete object[key];
        this.#fields.pop();
        this.#struct = outer;
      }
      this.#path.pop();
    }
    fillZeros(object, message, this.#table);
    return object;
  }

  #field(field: FieldSchema, before: unknown): unknown {
    const value = this.#value(field.of, before);
    if (value === undefined || !field.omitempty || field.pointer) return value;
    // An empty list of managers resets them, which Go tells from none.
    if (field.name === 'managedFields') return value;
    return isLeftOut(value, field.of) ? undefined : value;
  }

  /** Undefined for `null` and for a value of the wrong type. */
  #value(of: FieldType, before?: unknown): unknown {
    const reader = this.#reader;
    const kind = reader.kind();
    if (kind === 'null') {
      reader.skip();
      return undefined;
    }
    switch (of.type) {
      case 'message':
        return this.#message(this.#table.get(of.message), held(before));
      case 'string':
        return kind === 'string' ? reader.readString() : this.#mismatch('string');
      case 'bool':
        return kind === 'bool' ? reader.readBool() : this.#mismatch('bool');
      case 'int32':
      case 'int64':
        return kind === 'number' ? this.#integer(of.type) : this.#mismatch(of.type);
      case 'double':
        return kind === 'number' ? Number(reader.readNumber()) : this.#mismatch('float64');
      case 'bytes':
        return kind === 'string' ? this.#bytes(reader.readString()) : this.#mismatch('[]uint8');
      case 'list':
        return kind === 'array' ? this.#list(of.items) : this.#mismatch(goType(of));
      case 'map':
        return kind === 'object' ? this.#map(of.values, held(before)) : this.#mismatch(goType(of));
      case 'any':
      case 'raw':
      case 'fieldsV1':
        return readAny(reader, this.#path, () => {});
      case 'schemaOrList':
      case 'schemaOrBool':
      case 'schemaOrStrings':
        return this.#inCustom(() => this.#union(of));
      default:
        return this.#inCustom(() => this.#text(of.type));
    }
  }

  /** The types whose JSON form is a string, or a number beside. */
  #text(type: 'time' | 'microTime' | 'duration' | 'quantity' | 'intOrString'): unknown {
    const reader = this.#reader;
    const kind = reader.kind();
    if (type === 'intOrString') {
      if (kind === 'string') return reader.readString();
      return kind === 'number' ? this.#integer('int32') : this.#mismatch('int32');
    }
    if (type === 'quantity') {
      if (kind === 'string') return this.#quantity(reader.readString());
      if (kind !== 'number') {
        reader.skip();
        return this.#fail(QUANTITY_FORMAT_MESSAGE);
      }
      reader.readNumber();
      return this.#quantity(reader.numberText());
    }
    if (kind !== 'string') return this.#mismatch('string');
    const text = reader.readString();
    return this.#attempt(() =>
      type === 'duration' ? formatDuration(parseDuration(text)) : canonicalTime(text, type),
    );
  }

  #quantity(text: string): string | undefined {
    if (shortQuantity.test(text)) return text;
    return this.#attempt(() => canonicalQuantity(text.trim()));
  }

  #attempt<T>(parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (error instanceof Error) return this.#fail(error.message);
      throw error;
    }
  }

  #integer(type: 'int32' | 'int64'): number | bigint | undefined {
    const value = this.#reader.readNumber();
    const text = this.#reader.numberText();
    const fits =
      type === 'int32'
        ? value === Math.trunc(Number(value)) && value >= -2_147_483_648 && value <= 2_147_483_647
        : isInt64(value);
    if (fits && /^-?[0-9]+$/.test(text)) return value === 0 ? 0 : value;
    return this.#typeMismatch(`number ${text}`, type);
  }

  #bytes(text: string): string {
    const { canonical, problem } = checkBase64(text);
    if (problem !== undefined) this.#typeError ??= problem;
    return canonical;
  }

  #list(items: FieldType): unknown[] {
    const reader = this.#reader;
    const list: unknown[] = [];
    reader.enter();
    for (let index = 0; reader.nextItem(); index += 1) {
      this.#path.push(index);
      list.push(this.#value(items) ?? zeroOf(items, this.#table) ?? null);
      this.#path.pop();
    }
    return list;
  }

  #map(values: FieldType, map: Record<string, unknown> = {}): Record<string, unknown> {
    const reader = this.#reader;
    const before = new Set(Object.keys(map));
    reader.enter();
    for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
      this.#path.push(key);
      if (Object.hasOwn(map, key) && !before.delete(key)) this.#report('duplicate');
      setOwn(map, key, this.#value(values) ?? zeroOf(values, this.#table) ?? null);
      this.#path.pop();
    }
    return map;
  }

  #union(of: Extract<FieldType, { type: 'schemaOrList' | 'schemaOrBool' | 'schemaOrStrings' }>): unknown {
    const kind = this.#reader.kind();
    if (kind === 'object') return this.#message(this.#table.get(of.message));
    if (kind === 'array' && of.type === 'schemaOrList')
      return this.#list({ type: 'message', message: of.message });
    if (kind === 'array' && of.type === 'schemaOrStrings') return this.#list({ type: 'string' });
    if (kind === 'bool' && of.type === 'schemaOrBool') return this.#reader.readBool();
    this.#reader.skip();
    return of.type === 'schemaOrBool' ? this.#fail('boolean or JSON schema expected') : undefined;
  }

  /** Errors inside are those of the type's own decoder: they show where it began, and strictness ends there. */
  #inCustom<T>(read: () => T): T {
    if (this.#custom !== undefined) return read();
    this.#custom = { struct: this.#struct, fields: this.#fields.length };
    const value = read();
    this.#custom = undefined;
    return value;
  }

  /** Go's `Container.spec.containers.ports`: the innermost struct, then the fields that lead there. */
  #where(): string {
    const { struct, fields } = this.#custom ?? { struct: this.#struct, fields: this.#fields.length };
    return struct ? `${goStructName(struct.name)}.${this.#fields.slice(0, fields).join('.')}` : '';
  }

  #report(problem: 'unknown' | 'duplicate'): void {
    if (this.#custom !== undefined || this.strict.length >= MAX_STRICT_ERRORS) return;
    const text = `${problem} field "${fieldPath(this.#path)}"`;
    if (!this.strict.includes(text)) this.strict.push(text);
  }

  #mismatch(expected: string): undefined {
    const kind = this.#reader.kind();
    if (kind !== 'null') this.#typeMismatch(kind, expected);
    this.#reader.skip();
  }

  #typeMismatch(found: string, expected: string): undefined {
    const where = this.#where();
    const into = where === '' ? 'Go value' : `Go struct field ${where}`;
    const problem = `json: cannot unmarshal ${found} into ${into} of type ${expected}`;
    if (this.#custom === undefined) this.#typeError ??= problem;
    else this.#fatalError ??= problem;
  }

  #fail(problem: string): undefined {
    this.#fatalError ??= problem;
  }
}

function held(before: unknown): Record<string, unknown> | undefined {
  return typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : undefined;
}

function isInt64(value: number | bigint): boolean {
  return typeof value === 'bigint'
    ? value <= MAX_INT64 && value >= -MAX_INT64 - 1n
    : Number.isSafeInteger(value);
}
