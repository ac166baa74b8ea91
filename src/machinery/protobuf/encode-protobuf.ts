import { parseDuration } from '../duration.ts';
import { encodeJsonBytes } from '../json/encode.ts';
import type { Schema } from '../schema/decode.ts';
import type { FieldSchema, FieldType, SchemaTable } from '../schema/schema.ts';
import { planOf, type MessagePlan } from './message-plan.ts';
import { timeParts } from './time-parts.ts';
import { WireWriter, wireType } from './wire-writer.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The message of an object, without envelope, byte for byte as Go's generated code writes it: fields by number, maps by key,
 * values that Go does not hold behind a pointer also when they are zero.
 */
export function encodeProtobuf(object: object, { table, message }: Schema): Buffer {
  const encoder = new ProtobufEncoder(table);
  encoder.fields(object as Json, planOf(table.get(message)));
  return Buffer.from(encoder.out.finish());
}

class ProtobufEncoder {
  readonly out = new WireWriter();
  readonly #table: SchemaTable;

  constructor(table: SchemaTable) {
    this.#table = table;
  }

  fields(object: Json, plan: MessagePlan): void {
    for (const entry of plan.entries) {
      if ('field' in entry) this.#field(object[entry.field.name] ?? undefined, entry.field);
      else this.out.message(entry.number, () => this.fields(object, entry.embedded));
    }
  }

  #field(value: unknown, { of, number, pointer }: FieldSchema): void {
    if (value === undefined && (pointer || of.type === 'list' || of.type === 'map' || of.type === 'bytes'))
      return;
    if (of.type === 'list' && !of.wrapped) {
      for (const item of value as readonly unknown[]) this.#value(item, of.items, number);
    } else if (of.type === 'map') {
      this.#map(value as Json, of.values, number);
    } else if (of.type !== 'bytes' || pointer || value !== '') this.#value(value, of, number);
  }

  #map(map: Json, values: FieldType, number: number): void {
    for (const key of Object.keys(map).sort()) {
      this.out.message(number, () => {
        this.out.string(1, key);
        this.#value(map[key], values, 2);
      });
    }
  }

  /** With its tag; an absent value is written as zero. */
  #value(value: unknown, of: FieldType, number: number): void {
    const { out } = this;
    switch (of.type) {
      case 'string':
        out.string(number, (value ?? '') as string);
        break;
      case 'bytes':
        out.bytes(number, Buffer.from((value ?? '') as string, 'base64'));
        break;
      case 'bool':
        out.bool(number, value === true);
        break;
      case 'int32':
      case 'int64':
        out.tag(number, wireType.varint);
        out.int((value ?? 0) as number | bigint);
        break;
      case 'double':
        out.tag(number, wireType.fixed64);
        out.double(Number(value ?? 0));
        break;
      default:
        out.message(number, () => this.#content(value ?? undefined, of));
    }
  }

  /** What stands in the message of a value that is no scalar. */
  #content(value: unknown, of: FieldType): void {
    const { out } = this;
    switch (of.type) {
      case 'message':
        this.fields((value ?? {}) as Json, planOf(this.#table.get(of.message)));
        break;
      case 'list':
        for (const item of (value ?? []) as readonly unknown[]) this.#value(item, of.items, 1);
        break;
      case 'time':
      case 'microTime':
        if (value !== undefined) this.#time(value as string);
        break;
      case 'duration':
        out.tag(1, wireType.varint);
        out.int(parseDuration((value ?? '0s') as string));
        break;
      case 'quantity':
        out.string(1, (value ?? '0') as string);
        break;
      case 'intOrString':
        this.#intOrString((value ?? 0) as number | string);
        break;
      case 'schemaOrList':
      case 'schemaOrBool':
      case 'schemaOrStrings':
        this.#union(value, of);
        break;
      default:
        if (value !== undefined) out.bytes(1, encodeJsonBytes(value));
    }
  }

  #time(text: string): void {
    const { seconds, nanos } = timeParts(text);
    this.out.tag(1, wireType.varint);
    this.out.int(seconds);
    this.out.tag(2, wireType.varint);
    this.out.int(nanos);
  }

  #intOrString(value: number | string): void {
    const isText = typeof value === 'string';
    this.out.tag(1, wireType.varint);
    this.out.varint(isText ? 1 : 0);
    this.out.tag(2, wireType.varint);
    this.out.int(isText ? 0 : value);
    this.out.string(3, isText ? value : '');
  }

  #union(
    value: unknown,
    of: Extract<FieldType, { type: 'schemaOrList' | 'schemaOrBool' | 'schemaOrStrings' }>,
  ): void {
    const schema: FieldType = { type: 'message', message: of.message };
    const isSchema = typeof value === 'object' && value !== null && !Array.isArray(value);
    const number = of.type === 'schemaOrBool' ? 2 : 1;
    if (of.type === 'schemaOrBool') this.out.bool(1, isSchema || value === true);
    if (isSchema) this.#value(value, schema, number);
    else if (Array.isArray(value)) {
      const items: FieldType = of.type === 'schemaOrList' ? schema : { type: 'string' };
      for (const item of value) this.#value(item, items, 2);
    }
  }
}
