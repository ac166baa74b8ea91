/** A frame of SPDY/3.1 as it travels, header blocks still compressed. */
export type Frame =
  | { readonly type: 'data'; readonly stream: number; readonly fin: boolean; readonly data: Buffer }
  | {
      readonly type: 'synStream' | 'synReply' | 'headers';
      readonly stream: number;
      readonly fin: boolean;
      readonly block: Buffer;
    }
  | { readonly type: 'rst'; readonly stream: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStream: number; readonly status: number }
  | { readonly type: 'settings' | 'windowUpdate' };

/** A peer that does not speak SPDY/3.1. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const headBytes = 8;
/** Longer frames than any Kubernetes client sends. */
const maxFrameBytes = 4 << 20;
const version = 3;
const finFlag = 1;
const types = {
  synStream: 1,
  synReply: 2,
  rst: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Cuts a byte stream into frames; bytes may arrive in any pieces. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The frames that are complete with these bytes. Throws {@link FrameError}. */
  push(bytes: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      if (this.#pending.length < headBytes) return frames;
      const length = this.#pending.readUIntBE(5, 3);
      if (length > maxFrameBytes) throw new FrameError(`a frame of ${length} bytes`);
      if (this.#pending.length < headBytes + length) return frames;
      frames.push(
        parseFrame(
          this.#pending.subarray(0, headBytes),
          this.#pending.subarray(headBytes, headBytes + length),
        ),
      );
      this.#pending = this.#pending.subarray(headBytes + length);
    }
  }
}

function parseFrame(head: Buffer, body: Buffer): Frame {
  const fin = ((head[4] ?? 0) & finFlag) !== 0;
  const word = head.readUInt32BE(0);
  if (word < 0x8000_0000) return { type: 'data', stream: word, fin, data: body };
  if (((word >>> 16) & 0x7fff) !== version) throw new FrameError(`SPDY version ${(word >>> 16) & 0x7fff}`);
  const kind = word & 0xffff;
  const need = (bytes: number): void => {
    if (body.length < bytes) throw new FrameError(`control frame ${kind} of ${body.length} bytes`);
  };
  switch (kind) {
    case types.synStream:
      need(10);
      return { type: 'synStream', stream: streamId(body), fin, block: body.subarray(10) };
    case types.synReply:
    case types.headers:
      need(4);
      return {
        type: kind === types.synReply ? 'synReply' : 'headers',
        stream: streamId(body),
        fin,
        block: body.subarray(4),
      };
    case types.rst:
      need(8);
      return { type: 'rst', stream: streamId(body), status: body.readUInt32BE(4) };
    case types.ping:
      need(4);
      return { type: 'ping', id: body.readUInt32BE(0) };
    case types.goAway:
      need(8);
      return { type: 'goAway', lastStream: streamId(body), status: body.readUInt32BE(4) };
    case types.settings:
      return { type: 'settings' };
    case types.windowUpdate:
      return { type: 'windowUpdate' };
    default:
      throw new FrameError(`control frame of unknown type ${kind}`);
  }
}

function streamId(body: Buffer): number {
  return body.readUInt32BE(0) & 0x7fff_ffff;
}

/** The head of a data frame; the data follows it. */
export function dataHead(stream: number, bytes: number, options: { readonly fin: boolean }): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(stream, 0);
  head[4] = options.fin ? finFlag : 0;
  head.writeUIntBE(bytes, 5, 3);
  return head;
}

function control(kind: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE((0x8000_0000 | (version << 16) | kind) >>> 0, 0);
  head[4] = flags;
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function words(...values: readonly number[]): Buffer {
  const body = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) body.writeUInt32BE(value, at * 4);
  return body;
}

export function synStreamFrame(stream: number, block: Buffer, options: { readonly fin: boolean }): Buffer {
  return control(
    types.synStream,
    options.fin ? finFlag : 0,
    Buffer.concat([words(stream, 0), Buffer.alloc(2), block]),
  );
}

export function synReplyFrame(stream: number, block: Buffer): Buffer {
  return control(types.synReply, 0, Buffer.concat([words(stream), block]));
}

export function rstFrame(stream: number, status: number): Buffer {
  return control(types.rst, 0, words(stream, status));
}

export function pingFrame(id: number): Buffer {
  return control(types.ping, 0, words(id));
}

export function goAwayFrame(lastStream: number): Buffer {
  return control(types.goAway, 0, words(lastStream, 0));
}
