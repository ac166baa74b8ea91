import type { SchemaTable } from '../schema/schema.ts';
import { encodeProtobuf } from './encode-protobuf.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * One event of a watch in `application/vnd.kubernetes.protobuf;stream=watch`: four bytes of length (big endian), then a
 * `WatchEvent` whose object is `envelope`, a whole body made by `wrapEnvelope`.
 */
export function watchFrame(type: string, envelope: Uint8Array): Buffer {
  const out = new WireWriter(envelope.length + 64);
  out.raw(Buffer.alloc(4));
  out.string(1, type);
  out.message(2, () => {
    out.bytes(1, envelope);
  });
  const frame = Buffer.from(out.finish());
  frame.writeUInt32BE(frame.length - 4);
  return frame;
}

/** The message of a list, from the messages of its items. */
export function protobufList(metadata: object, items: Iterable<Uint8Array>, table: SchemaTable): Buffer {
  const listMeta = { table, message: 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta' };
  const out = new WireWriter(1 << 16);
  out.bytes(1, encodeProtobuf(metadata, listMeta));
  for (const item of items) out.bytes(2, item);
  return Buffer.from(out.finish());
}
