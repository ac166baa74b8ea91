import { createWriteStream, renameSync, rmSync, statSync, type WriteStream } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../../../base/clock.ts';

/** One answered request. */
export interface AccessEntry {
  /** When it arrived, in milliseconds since the Unix epoch. */
  readonly time: number;
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
  readonly route: string | undefined;
  readonly upstream: string | undefined;
  readonly endpoint: string | undefined;
  /** How many endpoints were asked, when more than one. */
  readonly attempts: number | undefined;
  /** Why the proxy itself answered. */
  readonly reason: string | undefined;
  readonly userAgent: string | undefined;
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
  const timeOf = createTimes();
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
      waiting += lineOf(entry, timeOf(entry.time));
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

function lineOf(entry: AccessEntry, time: string): string {
  const { attempts, bytes, durationMs, status } = entry;
  return `{"time":"${time}","client":"${entry.client}","protocol":"${entry.protocol}","scheme":"${entry.scheme}","method":${quoted(entry.method)},"host":${quoted(entry.host)},"path":${quoted(entry.path)},"status":${status},"bytes":${bytes},"durationMs":${durationMs}${field('route', entry.route)}${field('upstream', entry.upstream)}${field('endpoint', entry.endpoint)}${attempts === undefined ? '' : `,"attempts":${attempts}`}${field('reason', entry.reason)}${field('userAgent', entry.userAgent)}}\n`;
}

function field(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quoted(value)}`;
}

const unsafe = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

function quoted(text: string): string {
  return unsafe.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Writes times as RFC 3339 with milliseconds. */
function createTimes(): (ms: number) => string {
  let second = -1;
  let text = '';
  return (ms) => {
    const whole = Math.floor(ms / 1000);
    if (whole !== second) {
      second = whole;
      text = new Date(whole * 1000).toISOString().slice(0, 20);
    }
    return `${text}${String(Math.floor(ms - whole * 1000)).padStart(3, '0')}Z`;
  };
}
