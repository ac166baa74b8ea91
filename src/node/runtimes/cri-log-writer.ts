import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';

export interface CriLogOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Size at which the file is set aside; default 10 MiB. */
  readonly maxBytes?: number;
  /** Files kept, the current one included; default 5. */
  readonly maxFiles?: number;
}

export type LogStream = 'stdout' | 'stderr';

const longestLine = 16 * 1024;
const highWater = 1024 * 1024;
const newline = 10;

/**
 * Appends output to a log file in CRI format, `TIME stdout|stderr F|P TEXT`: lines longer than 16 KiB and a last line without
 * an end are written as partial ones. A full file is renamed to `NAME.YYYYMMDD-HHMMSS`, and the oldest are removed.
 */
export class CriLogWriter {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #rest: Record<LogStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #queue: Buffer[] = [];
  #queued = 0;
  #file: FileHandle | undefined;
  #size = 0;
  #flushing: Promise<void> | undefined;

  constructor(options: CriLogOptions) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? 10 * 1024 * 1024;
    this.#maxFiles = options.maxFiles ?? 5;
  }

  /** Queues output as it came; a promise is returned when the caller should wait before it sends more. */
  write(stream: LogStream, chunk: Buffer): Promise<void> | undefined {
    const pending = this.#rest[stream];
    const data = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
    let start = 0;
    for (;;) {
      const end = data.indexOf(newline, start);
      const stop = end < 0 ? data.length : end;
      while (stop - start > longestLine) {
        this.#push(stream, 'P', data.subarray(start, start + longestLine));
        start += longestLine;
      }
      if (end < 0) break;
      this.#push(stream, 'F', data.subarray(start, end));
      start = end + 1;
    }
    this.#rest[stream] = start < data.length ? Buffer.from(data.subarray(start)) : Buffer.alloc(0);
    const flushed = this.#flush();
    return this.#queued > highWater ? flushed : undefined;
  }

  /** Writes what is left, closes the file; resolves when everything is in it. */
  async close(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream].length > 0) this.#push(stream, 'P', this.#rest[stream]);
      this.#rest[stream] = Buffer.alloc(0);
    }
    await this.#flush();
    await this.#flushing;
    await this.#file?.close();
    this.#file = undefined;
  }

  #push(stream: LogStream, tag: 'F' | 'P', text: Buffer): void {
    const time = `${new Date(this.#clock.now()).toISOString().slice(0, -1)}000000Z`;
    this.#queue.push(Buffer.from(`${time} ${stream} ${tag} `), text, Buffer.from('\n'));
    this.#queued += text.length + 48;
  }

  /** Resolves when the queue is empty. What cannot be written (a full disk, a removed folder) is lost; the container goes on. */
  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      this.#flushing ??= this.#drain()
        .catch(() => {})
        .finally(() => (this.#flushing = undefined));
      await this.#flushing;
    }
  }

  async #drain(): Promise<void> {
    const bytes = Buffer.concat(this.#queue);
    this.#queue = [];
    this.#queued = 0;
    this.#file ??= await this.#open();
    if (this.#size >= this.#maxBytes) this.#file = await this.#rotate(this.#file);
    await this.#file.appendFile(bytes);
    this.#size += bytes.length;
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'a', 0o640);
    this.#size = (await file.stat()).size;
    return file;
  }

  async #rotate(current: FileHandle): Promise<FileHandle> {
    await current.close();
    this.#file = undefined;
    const stamp = new Date(this.#clock.now())
      .toISOString()
      .slice(0, 19)
      .replaceAll(/[-:]/g, '')
      .replace('T', '-');
    await rename(this.#path, `${this.#path}.${stamp}`);
    const folder = dirname(this.#path);
    const prefix = `${basename(this.#path)}.`;
    const old = (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort();
    const surplus = old.slice(0, Math.max(0, old.length - (this.#maxFiles - 1)));
    await Promise.all(surplus.map((name) => rm(join(folder, name), { force: true })));
    return this.#open();
  }
}
