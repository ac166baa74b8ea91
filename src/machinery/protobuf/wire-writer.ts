/** How protobuf writes a value: as a varint, in eight bytes, or after its length. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Writes protobuf's wire format into one growing buffer. */
export class WireWriter {
  #buffer: Buffer;
  #at = 0;

  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** What was written; valid until the next write. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  tag(number: number, type: number): void {
    this.varint(number * 8 + type);
  }

  /** A number below 2^53, not negative. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at] = (rest % 0x80) | 0x80;
      this.#at += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at] = rest;
    this.#at += 1;
  }

  /** Any int64 (or int32, which protobuf extends); negative ones take ten bytes. */
  int(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) {
      this.varint(value);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#buffer[this.#at] = Number(rest & 0x7fn) | 0x80;
      this.#at += 1;
      rest >>= 7n;
    }
    this.#buffer[this.#at] = Number(rest);
    this.#at += 1;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#at);
    this.#at += 8;
  }

  /** The bytes alone, without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  bytes(number: number, bytes: Uint8Array): void {
    this.tag(number, wireType.bytes);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  string(number: number, text: string): void {
    this.tag(number, wireType.bytes);
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.#reserve(length);
    this.#buffer.write(text, this.#at, 'utf8');
    this.#at += length;
  }

  bool(number: number, value: boolean): void {
    this.tag(number, wireType.varint);
    this.varint(value ? 1 : 0);
  }

  /** A message within this one: what `write` writes, after its length. */
  message(number: number, write: () => void): void {
    this.tag(number, wireType.bytes);
    const start = this.#at;
    this.#reserve(1);
    this.#at += 1;
    write();
    const length = this.#at - start - 1;
    const extra = varintSize(length) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#buffer.copyWithin(start + 1 + extra, start + 1, this.#at);
    }
    this.#at = start;
    this.varint(length);
    this.#at += length;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + count));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}
