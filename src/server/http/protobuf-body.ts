import type { KubeObject } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';
import { encodeProtobuf } from '../../machinery/protobuf/encode-protobuf.ts';
import { wrapEnvelope } from '../../machinery/protobuf/envelope.ts';
import { protobufList } from '../../machinery/protobuf/protobuf-stream.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import type { Answer, ListAnswer, ObjectAnswer } from '../registry/answer.ts';
import { entryObject } from '../registry/represent.ts';
import type { ServedVersion } from '../registry/served-resource.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

const statusMessage = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';
/** Messages of entries, by the message's name; they go when their entry goes. */
const known = new WeakMap<CacheEntry, Map<string, Buffer>>();

function entryMessage(served: ServedVersion, entry: CacheEntry, table: SchemaTable): Buffer {
  const message = served.version.schema;
  const made = known.get(entry) ?? new Map<string, Buffer>();
  known.set(entry, made);
  const bytes = made.get(message) ?? encodeProtobuf(entryObject(served, entry), { table, message });
  made.set(message, bytes);
  return bytes;
}

/** An object in its envelope. */
export function objectEnvelope(object: KubeObject, message: string, table: SchemaTable): Buffer {
  const { apiVersion, kind } = object;
  return wrapEnvelope({ apiVersion, kind, raw: encodeProtobuf(object, { table, message }) });
}

/** A stored object in its envelope; its message is encoded once. */
export function entryEnvelope(served: ServedVersion, entry: CacheEntry, table: SchemaTable): Buffer {
  const raw = entryMessage(served, entry, table);
  return wrapEnvelope({ apiVersion: apiVersionOf(served.type), kind: served.type.kind, raw });
}

function listEnvelope({ served, metadata, entries }: ListAnswer, table: SchemaTable): Buffer {
  const items = entries.map((entry) => entryMessage(served, entry, table));
  const raw = protobufList(metadata, items, table);
  return wrapEnvelope({ apiVersion: apiVersionOf(served.type), kind: `${served.type.kind}List`, raw });
}

/** The Status of an error or of a completed deletion in its envelope. */
export function statusEnvelope(status: object, table: SchemaTable): Buffer {
  return objectEnvelope(status as KubeObject, statusMessage, table);
}

function answerMessage(answer: ObjectAnswer): string | undefined {
  const { kind } = answer.object() as KubeObject;
  if (kind === 'Status') return statusMessage;
  return answer.message ?? answer.served?.version.schema;
}

/** An answer as protobuf; undefined when the schema does not know its message, so that JSON must do. */
export function protobufAnswer(answer: Answer, table: SchemaTable): Buffer | undefined {
  if (answer.type === 'list') {
    return table.has(answer.served.version.schema) ? listEnvelope(answer, table) : undefined;
  }
  const message = answerMessage(answer);
  if (message === undefined || !table.has(message)) return undefined;
  return objectEnvelope(answer.object() as KubeObject, message, table);
}
