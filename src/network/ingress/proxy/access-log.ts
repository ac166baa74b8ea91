import { createWriteStream, renameSync, rmSync, statSync, type WriteStream } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../../../base/clock.ts';

/** One answered request. */
export interface AccessEntry {
  /** RFC 3339 with milliseconds. */
  readonly time: string;
  readonly client: string;
  readonly protocol: string;
  readonly scheme: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** 0: the client went away before there was an answer. */
  readonly status: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly route?: string;
  readonly upstream?: string;
  readonly endpoint?: string;
  /** How many endpoints were asked, when more than one. */
  readonly attempts?: number;
  /** Why the proxy itself answered. */
  readonly reason?: string;
  readonly userAgent?: string;
}

/** A file of JSON lines. */
export interface AccessLog {
  write(entry: AccessEntry): void;
  close(): Promise<void>;
}

export interface AccessLogOptions {
  readonly file: string;
  readonly maxBytes: number;
  /** Older files: `FILE.1` is the youngest. */
  readonly maxBackups: number;
  readonly clock: Clock;
}

const flushMs = 200;
const flushBytes = 64 * 1024;

/** Writes in larger pieces, at most {@link flushMs} late; a full file is put aside. Lines that a slow disk cannot take are dropped. */
export function openAccessLog({ file, maxBytes, maxBackups, clock }: AccessLogOptions): AccessLog {
  mkdirSync(dirname(file), { recursive: true });
  let size = sizeOf(file);
  let stream = open();
  let waiting = '';
  let timer: Timer | undefined;

  function open(): WriteStream {
    const opened = createWriteStream(file, { flags: 'a', mode: 0o600 });
    opened.on('error', () => {});
    return opened;
  }

  function flush(): void {
    timer?.cancel();
    timer = undefined;
    if (waiting === '') return;
    if (size >= maxBytes) rotate();
    if (stream.writableLength < 16 * flushBytes) {
      size += waiting.length;
      stream.write(waiting);
    }
    waiting = '';
  }

  function rotate(): void {
    stream.end();
    for (let at = maxBackups; at > 0; at--) {
      const from = at === 1 ? file : `${file}.${at - 1}`;
      if (sizeOf(from) > 0) renameSync(from, `${file}.${at}`);
    }
    if (maxBackups === 0) rmSync(file, { force: true });
    stream = open();
    size = 0;
  }

  return {
    write(entry) {
      waiting += `${JSON.stringify(entry)}\n`;
      if (waiting.length >= flushBytes) flush();
      else timer ??= clock.after(flushMs, flush);
    },
    close() {
      flush();
      return new Promise((resolve) => stream.end(() => resolve()));
    },
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
