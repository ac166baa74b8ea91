import { DecodeError } from '../schema/decode-error.ts';
import { wireType } from './wire-writer.ts';

const unexpectedEnd = 'unexpected EOF';

/** Reads protobuf's wire format. Throws `DecodeError` for bytes that are none. */
export class WireReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = this.#bytes.length;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  tag(): { readonly number: number; readonly type: number } {
    const key = Number(this.varint());
    const number = Math.floor(key / 8);
    if (number <= 0) throw new DecodeError(`proto: illegal tag ${number} (wire type ${key % 8})`);
    return { number, type: key % 8 };
  }

  /** Unsigned; bigint beyond 2^53. */
  varint(): number | bigint {
    let value = 0;
    let factor = 1;
    const start = this.#at;
    for (let count = 0; count < 7; count += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    this.#at = start;
    return this.#longVarint();
  }

  /** Of a field of type int32, int64 or bool. */
  int(): number | bigint {
    const value = this.varint();
    if (typeof value === 'number') return value;
    const signed = BigInt.asIntN(64, value);
    const exact = Number(signed);
    return Number.isSafeInteger(exact) ? exact : signed;
  }

  double(): number {
    const start = this.#advance(8);
    return this.#bytes.readDoubleLE(start);
  }

  bytes(): Buffer {
    const length = Number(this.varint());
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    const length = Number(this.varint());
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** Calls `read` with the reader confined to the message at the cursor. */
  message(read: () => void): void {
    const length = Number(this.varint());
    const start = this.#advance(length);
    const outer = this.#end;
    this.#at = start;
    this.#end = start + length;
    read();
    this.#at = this.#end;
    this.#end = outer;
  }

  /** Passes over the value of a field that nobody knows. */
  skip(type: number): void {
    if (type === wireType.varint) this.varint();
    else if (type === wireType.fixed64) this.#advance(8);
    else if (type === wireType.fixed32) this.#advance(4);
    else if (type === wireType.bytes) this.bytes();
    else throw new DecodeError(`proto: illegal wireType ${type}`);
  }

  #longVarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new DecodeError('proto: integer overflow');
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new DecodeError(unexpectedEnd);
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  /** Moves the cursor; returns where it was. */
  #advance(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw new DecodeError(unexpectedEnd);
    this.#at = start + count;
    return start;
  }
}
