import { Duplex } from 'node:stream';
import {
  FrameReader,
  dataHead,
  goAwayFrame,
  pingFrame,
  rstFrame,
  synReplyFrame,
  synStreamFrame,
} from './frames.ts';
import type { Frame } from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './header-block.ts';

/** One stream of a connection: bytes both ways, each way ended by itself. */
export interface SpdyStream {
  readonly id: number;
  /** What the peer opened it with; names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly duplex: Duplex;
}

export interface SpdyConnectionOptions {
  /** The upgraded connection. */
  readonly socket: Duplex;
  /** Which side this is: servers open even streams, clients odd ones. */
  readonly role: 'server' | 'client';
  /** Called with each stream that the peer opens, after it was accepted. */
  onStream(stream: SpdyStream): void;
  /** Called once when the connection has ended, with the reason when it was not in order. */
  onClose?(error: Error | undefined): void;
}

/** Data frames carry at most this much, so that streams take turns. */
const maxDataBytes = 32 << 10;
const cancelStatus = 5;

/**
 * One end of a SPDY/3.1 connection as Kubernetes' clients use it. They know no flow-control windows and never open any, so
 * back-pressure is the transport's: a stream that nobody reads stops the reading of the whole connection.
 */
export class SpdyConnection {
  readonly #options: SpdyConnectionOptions;
  readonly #socket: Duplex;
  readonly #reader = new FrameReader();
  readonly #decoder = new HeaderDecoder();
  readonly #encoder = new HeaderEncoder();
  readonly #streams = new Map<number, Duplex>();
  /** Streams whose reader is behind. */
  readonly #behind = new Set<number>();
  #lastPeerStream = 0;
  #nextStream: number;
  #closed = false;
  /** Header blocks are made one after the other, and their frames are sent in that order. */
  #encoding: Promise<unknown> = Promise.resolve();

  constructor(options: SpdyConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#nextStream = options.role === 'server' ? 2 : 1;
    void this.#run();
  }

  /** Opens a stream; resolves when its opening frame has been handed to the transport. */
  async open(headers: ReadonlyMap<string, string>): Promise<SpdyStream> {
    const id = this.#nextStream;
    this.#nextStream += 2;
    const duplex = this.#makeStream(id);
    await this.#ordered(async () => {
      this.#write(synStreamFrame(id, await this.#encoder.encode(headers), { fin: false }));
    });
    return { id, headers, duplex };
  }

  /** Says that no more streams are taken and ends the connection once what was written is gone. */
  close(): void {
    if (this.#closed) return;
    this.#write(goAwayFrame(this.#lastPeerStream));
    this.#socket.end();
  }

  destroy(error?: Error): void {
    this.#finish(error);
    this.#socket.destroy();
  }

  async #run(): Promise<void> {
    try {
      for await (const chunk of this.#socket) {
        for (const frame of this.#reader.push(chunk as Buffer)) await this.#take(frame);
        while (this.#behind.size > 0 && !this.#closed) await this.#readersCatchUp();
      }
      this.#finish(undefined);
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)));
      this.#socket.destroy();
    }
  }

  async #take(frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'synStream':
        await this.#accept(frame.stream, await this.#decoder.decode(frame.block), frame.fin);
        return;
      case 'synReply':
      case 'headers':
        await this.#decoder.decode(frame.block);
        if (frame.fin) this.#streams.get(frame.stream)?.push(null);
        return;
      case 'data': {
        const stream = this.#streams.get(frame.stream);
        if (!stream || stream.destroyed) return;
        if (frame.data.length > 0 && !stream.push(Buffer.from(frame.data))) this.#behind.add(frame.stream);
        if (frame.fin) stream.push(null);
        return;
      }
      case 'rst': {
        const stream = this.#streams.get(frame.stream);
        // Servers end their streams so; what they sent before is still to be read.
        if (this.#options.role === 'client' && stream?.writableFinished) stream.push(null);
        else stream?.destroy();
        return;
      }
      case 'ping':
        if ((frame.id % 2 === 1) === (this.#options.role === 'server')) this.#write(pingFrame(frame.id));
        return;
      default:
    }
  }

  async #accept(id: number, headers: ReadonlyMap<string, string>, fin: boolean): Promise<void> {
    this.#lastPeerStream = id;
    const duplex = this.#makeStream(id);
    await this.#ordered(async () => this.#write(synReplyFrame(id, await this.#encoder.encode(new Map()))));
    if (fin) duplex.push(null);
    this.#options.onStream({ id, headers, duplex });
  }

  #makeStream(id: number): Duplex {
    const duplex = new Duplex({
      allowHalfOpen: true,
      read: () => this.#caughtUp(id),
      write: (chunk: Buffer, _encoding, done) => {
        for (let at = 0; at < chunk.length; at += maxDataBytes) {
          const part = chunk.subarray(at, at + maxDataBytes);
          this.#write(dataHead(id, part.length, { fin: false }));
          this.#write(part);
        }
        this.#whenDrained(done);
      },
      final: (done) => {
        this.#write(dataHead(id, 0, { fin: true }));
        done();
      },
      destroy: (error, done) => {
        const ended = duplex.readableEnded && duplex.writableFinished;
        if (!ended && !this.#closed) this.#write(rstFrame(id, cancelStatus));
        this.#streams.delete(id);
        this.#caughtUp(id);
        done(error);
      },
    });
    // A stream that breaks tells its user; the connection goes on.
    duplex.on('error', () => undefined);
    this.#streams.set(id, duplex);
    return duplex;
  }

  #resume: (() => void) | undefined;

  #caughtUp(id: number): void {
    this.#behind.delete(id);
    if (this.#behind.size === 0) this.#resume?.();
  }

  #readersCatchUp(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  #ordered<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#encoding.then(work);
    this.#encoding = result.catch(() => undefined);
    return result;
  }

  #write(bytes: Buffer): void {
    if (!this.#closed && this.#socket.writable) this.#socket.write(bytes);
  }

  #whenDrained(done: () => void): void {
    if (this.#closed || !this.#socket.writableNeedDrain) {
      done();
      return;
    }
    const proceed = (): void => {
      this.#socket.off('drain', proceed);
      this.#socket.off('close', proceed);
      done();
    };
    this.#socket.on('drain', proceed);
    this.#socket.on('close', proceed);
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of this.#streams.values()) {
      if (error) stream.destroy(error);
      else stream.push(null);
      if (!stream.writableFinished) stream.destroy();
    }
    this.#resume?.();
    this.#decoder.close();
    this.#encoder.close();
    this.#options.onClose?.(error);
  }
}
