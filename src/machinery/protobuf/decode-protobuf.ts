import { formatDuration } from '../duration.ts';
import { maxDepth } from '../json/json-reader.ts';
import { setOwn } from '../json/own-property.ts';
import { parseJson } from '../json/parse-json.ts';
import { canonicalQuantity } from '../quantity.ts';
import { DecodeError } from '../schema/decode-error.ts';
import type { Schema } from '../schema/decode.ts';
import { isLeftOut } from '../schema/omitempty.ts';
import type { FieldSchema, FieldType, MessageSchema, SchemaTable } from '../schema/schema.ts';
import { fillZeros, zeroOf } from '../schema/zero.ts';
import { planOf, type MessagePlan } from './message-plan.ts';
import { timeText } from './time-parts.ts';
import { WireReader } from './wire-reader.ts';
import { wireType } from './wire-writer.ts';

/**
 * Decodes a message without envelope into the same object that `decode` makes of the object's JSON; `apiVersion` and `kind` are
 * for the caller to set. Unknown fields are passed over. Throws `DecodeError`.
 */
export function decodeProtobuf(bytes: Uint8Array, { table, message }: Schema): Record<string, unknown> {
  return new ProtobufDecoder(new WireReader(bytes), table).message(table.get(message));
}

class ProtobufDecoder {
  readonly #reader: WireReader;
  readonly #table: SchemaTable;
  #depth = 0;

  constructor(reader: WireReader, table: SchemaTable) {
    this.#reader = reader;
    this.#table = table;
  }

  message(message: MessageSchema): Record<string, unknown> {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new DecodeError('exceeded max depth');
    const object: Record<string, unknown> = {};
    this.#fields(object, planOf(message));
    for (const field of message.fields.values()) {
      const value = object[field.name];
      if (value !== undefined && field.omitempty && !field.pointer && isLeftOut(value, field.of))
        delete object[field.name];
    }
    fillZeros(object, message, this.#table);
    this.#depth -= 1;
    return object;
  }

  #fields(object: Record<string, unknown>, plan: MessagePlan): void {
    const reader = this.#reader;
    while (!reader.done) {
      const { number, type } = reader.tag();
      const entry = plan.byNumber.get(number);
      if (!entry) reader.skip(type);
      else if ('embedded' in entry) reader.message(() => this.#fields(object, entry.embedded));
      else this.#field(object, entry.field, type);
    }
  }

  #field(object: Record<string, unknown>, { name, of }: FieldSchema, type: number): void {
    if (of.type === 'list' && !of.wrapped) {
      const list = (object[name] ??= []) as unknown[];
      list.push(this.#value(of.items, type) ?? null);
    } else if (of.type === 'map') {
      this.#mapEntry((object[name] ??= {}) as Record<string, unknown>, of.values);
    } else {
      const value = this.#value(of, type);
      if (value !== undefined) object[name] = value;
    }
  }

  #mapEntry(map: Record<string, unknown>, values: FieldType): void {
    let key = '';
    let value: unknown;
    this.#each((number, type) => {
      if (number === 1) key = this.#reader.string();
      else if (number === 2) value = this.#value(values, type);
      else this.#reader.skip(type);
    });
    setOwn(map, key, value ?? zeroOf(values, this.#table) ?? null);
  }

  /** Undefined for what JSON shows as `null`. */
  #value(of: FieldType, type: number): unknown {
    const reader = this.#reader;
    const expected = wireTypeOf(of);
    if (type !== expected) throw new DecodeError(`proto: wrong wireType = ${type} for field`);
    switch (of.type) {
      case 'string':
        return reader.string();
      case 'bytes':
        return reader.bytes().toString('base64');
      case 'bool':
        return reader.int() !== 0;
      case 'int32':
      case 'int64':
        return reader.int();
      case 'double':
        return reader.double();
      case 'message': {
        let object: unknown;
        reader.message(() => {
          object = this.message(this.#table.get(of.message));
        });
        return object;
      }
      case 'list':
        return this.#repeated(1, of.items);
      case 'time':
      case 'microTime': {
        const { 1: seconds, 2: nanos } = this.#numbers();
        if (seconds === undefined && nanos === undefined) return undefined;
        return timeText(Number(seconds ?? 0), Number(nanos ?? 0), of.type);
      }
      case 'duration':
        return formatDuration(BigInt(this.#numbers()[1] ?? 0));
      case 'quantity':
        return this.#quantity();
      case 'intOrString':
        return this.#intOrString();
      case 'schemaOrList':
      case 'schemaOrBool':
      case 'schemaOrStrings':
        return this.#union(of);
      default:
        return this.#json();
    }
  }

  /** Goes through the fields of the message at the cursor. */
  #each(read: (number: number, type: number) => void): void {
    this.#reader.message(() => {
      while (!this.#reader.done) {
        const { number, type } = this.#reader.tag();
        read(number, type);
      }
    });
  }

  #repeated(wanted: number, items: FieldType): unknown[] {
    const list: unknown[] = [];
    this.#each((number, type) => {
      if (number === wanted) list.push(this.#value(items, type));
      else this.#reader.skip(type);
    });
    return list;
  }

  /** The varints of a message, by number. */
  #numbers(): Readonly<Record<number, number | bigint>> {
    const numbers: Record<number, number | bigint> = {};
    this.#each((number, type) => {
      if (type === wireType.varint) numbers[number] = this.#reader.int();
      else this.#reader.skip(type);
    });
    return numbers;
  }

  #quantity(): string {
    let text = '0';
    this.#each((number, type) => {
      if (number === 1 && type === wireType.bytes) text = this.#reader.string();
      else this.#reader.skip(type);
    });
    try {
      return canonicalQuantity(text);
    } catch (error) {
      if (error instanceof RangeError) throw new DecodeError(error.message, { cause: error });
      throw error;
    }
  }

  #intOrString(): number | string {
    let isText = false;
    let int = 0;
    let text = '';
    this.#each((number, type) => {
      if (number === 1 && type === wireType.varint) isText = this.#reader.int() === 1;
      else if (number === 2 && type === wireType.varint) int = Number(this.#reader.int());
      else if (number === 3 && type === wireType.bytes) text = this.#reader.string();
      else this.#reader.skip(type);
    });
    return isText ? text : int;
  }

  #union(of: Extract<FieldType, { type: 'schemaOrList' | 'schemaOrBool' | 'schemaOrStrings' }>): unknown {
    const schema: FieldType = { type: 'message', message: of.message };
    const items: FieldType = of.type === 'schemaOrStrings' ? { type: 'string' } : schema;
    const schemaNumber = of.type === 'schemaOrBool' ? 2 : 1;
    const list: unknown[] = [];
    let object: unknown;
    let allows = false;
    this.#each((number, type) => {
      if (number === schemaNumber) object = this.#value(schema, type);
      else if (number === 2) list.push(this.#value(items, type));
      else if (number === 1) allows = this.#value({ type: 'bool' }, type) === true;
      else this.#reader.skip(type);
    });
    return object ?? (of.type === 'schemaOrBool' ? allows : list);
  }

  /** JSON in the message's first field. */
  #json(): unknown {
    let value: unknown;
    this.#each((number, type) => {
      if (number === 1 && type === wireType.bytes) {
        const bytes = this.#reader.bytes();
        if (bytes.length > 0) value = parseJson(bytes).value;
      } else this.#reader.skip(type);
    });
    return value;
  }
}

function wireTypeOf(of: FieldType): number {
  switch (of.type) {
    case 'bool':
    case 'int32':
    case 'int64':
      return wireType.varint;
    case 'double':
      return wireType.fixed64;
    default:
      return wireType.bytes;
  }
}
