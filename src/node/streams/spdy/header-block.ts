import zlib from 'node:zlib';
import { spdyDictionary } from './dictionary.ts';
import { FrameError } from './frames.ts';

/** More header bytes than any Kubernetes client sends with a stream. */
const maxBlockBytes = 64 << 10;

/** Reads the header blocks of one direction: they share one compression context, so they must come in order. */
export class HeaderDecoder {
  readonly #inflate: zlib.Inflate = zlib.createInflate({ dictionary: spdyDictionary() });
  #bytes: Buffer[] = [];

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => void this.#bytes.push(chunk));
  }

  /** Names in lower case; several values of one name are separated by NUL, of which the first is kept. */
  async decode(block: Buffer): Promise<ReadonlyMap<string, string>> {
    this.#bytes = [];
    await new Promise<void>((resolve, reject) => {
      this.#inflate.once('error', reject);
      this.#inflate.write(block);
      this.#inflate.flush(zlib.constants.Z_SYNC_FLUSH, () => {
        this.#inflate.off('error', reject);
        resolve();
      });
    });
    return parseHeaders(Buffer.concat(this.#bytes));
  }

  close(): void {
    this.#inflate.destroy();
  }
}

/** Writes the header blocks of one direction, in order. */
export class HeaderEncoder {
  readonly #deflate: zlib.Deflate = zlib.createDeflate({ dictionary: spdyDictionary() });
  #bytes: Buffer[] = [];

  constructor() {
    this.#deflate.on('data', (chunk: Buffer) => void this.#bytes.push(chunk));
  }

  async encode(headers: ReadonlyMap<string, string>): Promise<Buffer> {
    this.#bytes = [];
    await new Promise<void>((resolve) => {
      this.#deflate.write(serializeHeaders(headers));
      this.#deflate.flush(zlib.constants.Z_SYNC_FLUSH, resolve);
    });
    return Buffer.concat(this.#bytes);
  }

  close(): void {
    this.#deflate.destroy();
  }
}

function parseHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  if (bytes.length < 4 || bytes.length > maxBlockBytes)
    throw new FrameError(`a header block of ${bytes.length} bytes`);
  const headers = new Map<string, string>();
  let at = 4;
  const text = (): string => {
    if (at + 4 > bytes.length) throw new FrameError('a header block that ends early');
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    if (at > bytes.length) throw new FrameError('a header block that ends early');
    return bytes.toString('latin1', at - length, at);
  };
  for (let left = bytes.readUInt32BE(0); left > 0; left -= 1) {
    const name = text().toLowerCase();
    headers.set(name, text().split('\0')[0] ?? '');
  }
  return headers;
}

function serializeHeaders(headers: ReadonlyMap<string, string>): Buffer {
  const counted = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'latin1');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const count = Buffer.alloc(4);
  count.writeUInt32BE(headers.size);
  return Buffer.concat([
    count,
    ...[...headers].flatMap(([name, value]) => [counted(name.toLowerCase()), counted(value)]),
  ]);
}
