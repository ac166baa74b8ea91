import { sharedForm } from '../managed-fields/shared-fields.ts';
import { ValueReader } from '../json/value-reader.ts';
import { parseJson } from '../json/parse-json.ts';
import { TextReader } from '../json/text-reader.ts';
import { MessageDecoder } from './message-decoder.ts';
import type { SchemaTable } from './schema.ts';

/** Which message of which table to read. */
export interface Schema {
  readonly table: SchemaTable;
  /** `io.k8s.api.apps.v1.Deployment`. */
  readonly message: string;
}

export interface Decoded {
  readonly object: Record<string, unknown>;
  /**
   * What strict decoding would refuse, in the order of the document, as upstream words it: `unknown field "spec.foo"`,
   * `duplicate field "spec.replicas"`. Unknown fields are not in the object; of duplicate ones the last
   * counts, but objects and maps are united.
   */
  readonly strict: readonly string[];
}

/**
 * Decodes a request body as Go decodes it into the struct of that schema.
 *
 * The object has every field that Go always writes (`status: {}`, `containers: []`) and none that it leaves out
 * (`minReadySeconds: 0`); quantities and times are canonical, integers beyond 2^53 bigint; `null` is absence.
 * Throws `JsonSyntaxError` or `DecodeError`.
 */
export function decode(bytes: Uint8Array, schema: Schema): Decoded {
  const reader = new TextReader(bytes);
  const decoder = new MessageDecoder(reader, schema.table);
  const object = decoder.decode(schema.message);
  reader.end();
  decoder.throwErrors();
  return { object, strict: decoder.strict };
}

/** {@link decode} of a value that was parsed before (YAML, the result of a patch, an object made in this process). The value is not kept. */
export function decodeValue(value: unknown, schema: Schema): Decoded {
  const decoder = new MessageDecoder(new ValueReader(value), schema.table);
  const object = decoder.decode(schema.message);
  decoder.throwErrors();
  return { object, strict: decoder.strict };
}

/** Decodes bytes that `encodeObject` made. */
export function decodeTrusted(bytes: Buffer, schema: Schema): Record<string, unknown> {
  const text = bytes.toString('utf8');
  const value: unknown = longInteger.test(text) ? parseJson(text).value : JSON.parse(text);
  const object = text.includes('null')
    ? decodeValue(value, schema).object
    : (value as Record<string, unknown>);
  shareOwners(object);
  return object;
}

/** Most of what many objects say of their owners is the same. */
function shareOwners({ metadata }: Readonly<Record<string, unknown>>): void {
  const { managedFields } = (metadata ?? {}) as { managedFields?: readonly Record<string, unknown>[] };
  for (const entry of managedFields ?? []) {
    const shared = sharedForm(entry['fieldsV1']);
    if (shared) entry['fieldsV1'] = shared.object;
  }
}

/** A run of digits that may be an integer beyond 2^53. */
const longInteger = /[0-9]{16}/;
