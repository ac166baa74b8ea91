/** One DER element. `raw` is the whole of it, `content` what is behind its tag and length. */
export interface Der {
  readonly tag: number;
  readonly raw: Buffer;
  readonly content: Buffer;
}

/** Universal tags, as they stand in the first byte. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Bytes that are not the DER that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** Reads the element at `offset`. Throws {@link DerError} when it is cut off or its length is not canonical. */
export function readDer(bytes: Buffer, offset: number = 0): Der {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new DerError('asn1: syntax error: data truncated');
  if ((tag & 0x1f) === 0x1f)
    throw new DerError('asn1: structure error: tags of many bytes are not used here');
  let [length, start] = [first, offset + 2];
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('asn1: structure error: length too large');
    length = 0;
    for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[start + index] ?? 0);
    start += count;
    if (length < 0x80) throw new DerError('asn1: structure error: non-minimal length');
  }
  if (start + length > bytes.length) throw new DerError('asn1: syntax error: data truncated');
  return { tag, raw: bytes.subarray(offset, start + length), content: bytes.subarray(start, start + length) };
}

/** The elements one after the other. */
export function readAll(bytes: Buffer): Der[] {
  const found: Der[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const element = readDer(bytes, offset);
    found.push(element);
    offset += element.raw.length;
  }
  return found;
}

/** The elements inside of one that must have this tag. */
export function children(element: Der | undefined, tag: number): Der[] {
  if (element?.tag !== tag) throw new DerError("asn1: structure error: tags don't match");
  return readAll(element.content);
}

/** `2.5.29.17`. */
export function readOid({ tag, content }: Der): string {
  if (tag !== derTag.objectIdentifier) throw new DerError("asn1: structure error: tags don't match");
  const parts: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = parts;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}

/** An element with this tag around its parts. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const bytes: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  const length = content.length < 0x80 ? [content.length] : [0x80 | bytes.length, ...bytes];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** An object identifier. */
export function writeOid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const groups = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left % 128) | 0x80);
    }
    return groups;
  });
  return writeDer(derTag.objectIdentifier, Buffer.from(bytes));
}

/** A point of time, as certificates write it: two-digit years until 2049. */
export function writeTime(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? writeDer(derTag.utcTime, Buffer.from(digits.slice(2)))
    : writeDer(derTag.generalizedTime, Buffer.from(digits));
}
