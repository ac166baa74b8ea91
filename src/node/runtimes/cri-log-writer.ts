import { closeSync, fstatSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';

/** When a log is set aside. */
export interface LogRotation {
  /** Size at which the file is set aside; default 10 MiB. */
  readonly maxBytes?: number;
  /** Files kept, the current one included; default 5. */
  readonly maxFiles?: number;
}

export interface CriLogOptions extends LogRotation {
  readonly path: string;
  readonly clock: Clock;
}

export type LogStream = 'stdout' | 'stderr';

const longestLine = 16 * 1024;
const newline = 10;

/**
 * Appends output to a log file in CRI format, `TIME stdout|stderr F|P TEXT`: lines longer than 16 KiB and a last line without
 * an end are written as partial ones. A full file is renamed to `NAME.YYYYMMDD-HHMMSS`, and the oldest are removed.
 *
 * Lines are in the file when `write` returns. Were they queued, a killed agent would lose what it has taken from the pipe; and
 * one write to the page cache takes less time than a detour through the thread pool.
 */
export class CriLogWriter {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #rest: Record<LogStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #file: number | undefined;
  #size = 0;

  constructor(options: CriLogOptions) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? 10 * 1024 * 1024;
    this.#maxFiles = options.maxFiles ?? 5;
  }

  /** Appends the lines that `chunk` ends. What cannot be written (a full disk, a removed folder) is lost; the container goes on. */
  write(stream: LogStream, chunk: Buffer): void {
    const pending = this.#rest[stream];
    const data = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
    const records: Buffer[] = [];
    let start = 0;
    for (;;) {
      const end = data.indexOf(newline, start);
      const stop = end < 0 ? data.length : end;
      while (stop - start > longestLine) {
        this.#record(records, stream, 'P', data.subarray(start, start + longestLine));
        start += longestLine;
      }
      if (end < 0) break;
      this.#record(records, stream, 'F', data.subarray(start, end));
      start = end + 1;
    }
    this.#rest[stream] = start < data.length ? Buffer.from(data.subarray(start)) : Buffer.alloc(0);
    this.#append(records);
  }

  /** Writes what is left and closes the file. */
  close(): void {
    const records: Buffer[] = [];
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream].length > 0) this.#record(records, stream, 'P', this.#rest[stream]);
      this.#rest[stream] = Buffer.alloc(0);
    }
    this.#append(records);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #record(records: Buffer[], stream: LogStream, tag: 'F' | 'P', text: Buffer): void {
    const time = `${new Date(this.#clock.now()).toISOString().slice(0, -1)}000000Z`;
    records.push(Buffer.from(`${time} ${stream} ${tag} `), text, Buffer.from('\n'));
  }

  #append(records: readonly Buffer[]): void {
    if (records.length === 0) return;
    const bytes = Buffer.concat(records);
    try {
      this.#file ??= this.#open();
      if (this.#size >= this.#maxBytes) this.#file = this.#rotate(this.#file);
      for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
      this.#size += bytes.length;
    } catch {
      // The container's work matters more than its log.
    }
  }

  #open(): number {
    const file = openSync(this.#path, 'a', 0o640);
    this.#size = fstatSync(file).size;
    return file;
  }

  #rotate(current: number): number {
    closeSync(current);
    this.#file = undefined;
    const stamp = new Date(this.#clock.now())
      .toISOString()
      .slice(0, 19)
      .replaceAll(/[-:]/g, '')
      .replace('T', '-');
    renameSync(this.#path, `${this.#path}.${stamp}`);
    const folder = dirname(this.#path);
    const prefix = `${basename(this.#path)}.`;
    const old = readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .sort();
    for (const name of old.slice(0, Math.max(0, old.length - (this.#maxFiles - 1))))
      rmSync(join(folder, name), { force: true });
    return this.#open();
  }
}
