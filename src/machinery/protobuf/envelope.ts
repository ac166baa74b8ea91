import { DecodeError } from '../schema/decode-error.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** `k8s` and a zero byte, before every `runtime.Unknown`. */
const prefix = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The message of the object. */
  readonly raw: Buffer;
}

/** A body of type `application/vnd.kubernetes.protobuf`. */
export function wrapEnvelope({ apiVersion, kind, raw }: Envelope): Buffer {
  const out = new WireWriter(raw.length + 128);
  out.raw(prefix);
  out.message(1, () => {
    out.string(1, apiVersion);
    out.string(2, kind);
  });
  out.bytes(2, raw);
  out.string(3, '');
  out.string(4, '');
  return Buffer.from(out.finish());
}

/** Throws `DecodeError` for bytes without the prefix, or whose content is not protobuf. */
export function unwrapEnvelope(bytes: Uint8Array): Envelope {
  if (!prefix.equals(bytes.subarray(0, prefix.length))) {
    throw new DecodeError(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  const reader = new WireReader(bytes.subarray(prefix.length));
  let raw: Buffer = Buffer.alloc(0);
  let contentType = '';
  let apiVersion = '';
  let kind = '';
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === 1) {
      reader.message(() => {
        while (!reader.done) {
          const inner = reader.tag();
          if (inner.number === 1) apiVersion = reader.string();
          else if (inner.number === 2) kind = reader.string();
          else reader.skip(inner.type);
        }
      });
    } else if (number === 2) raw = reader.bytes();
    else if (number === 4) contentType = reader.string();
    else reader.skip(type);
  }
  if (contentType !== '' && contentType !== 'application/vnd.kubernetes.protobuf')
    throw new DecodeError(`unexpected content type ${contentType} inside of a protobuf message`);
  return { apiVersion, kind, raw };
}
