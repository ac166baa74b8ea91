import { watch } from 'node:fs';
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { isMissing } from '../missing-file.ts';
import { parseLogLine, type LogLine } from './log-line.ts';

export interface ReadLogOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly stream?: 'All' | 'Stdout' | 'Stderr';
  /** Whether the container has written its last line. */
  isOver(): boolean;
}

const CHUNK_BYTES = 64 * 1024;
const POLL_MS = 500;
const NEWLINE = 0x0a;

/**
 * The text of a CRI log file and of the files rotated out of it (`0.log.20260101-000000`), oldest first. Following ends
 * when the container is over and all is read, or when the signal aborts.
 */
export async function* readLog(path: string, options: ReadLogOptions): AsyncGenerator<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const text of texts(path, options)) {
    if (text.length >= left) {
      yield text.subarray(0, left);
      return;
    }
    left -= text.length;
    if (text.length > 0) yield text;
  }
}

/** One buffer per batch of lines that came together. */
async function* texts(path: string, options: ReadLogOptions): AsyncGenerator<Buffer> {
  const select = selector(options);
  const past = await readWhole(path);
  const lines = splitLines(past.text).filter(select);
  const tail = options.tailLines === undefined ? lines : lastLines(lines, options.tailLines);
  yield render(tail, options);
  if (options.follow !== true) {
    await past.file?.close();
    return;
  }
  const file = past.file ?? (await appeared(path, options));
  if (file) yield* followed(path, { ...past, file }, options);
}

interface Past {
  /** All of it up to the last complete line. */
  readonly text: Buffer;
  readonly file: FileHandle | undefined;
  /** Where in the present file to go on. */
  readonly offset: number;
}

async function readWhole(path: string): Promise<Past> {
  const parts: Buffer[] = [];
  for (const rotated of await rotatedFiles(path)) {
    const file = await openLog(rotated);
    if (!file) continue;
    parts.push(await file.readFile());
    await file.close();
  }
  const file = await openLog(path);
  if (!file) return { text: Buffer.concat(parts), file: undefined, offset: 0 };
  const present = await file.readFile();
  const end = present.lastIndexOf(NEWLINE) + 1;
  parts.push(present.subarray(0, end));
  return { text: Buffer.concat(parts), file, offset: end };
}

async function rotatedFiles(path: string): Promise<readonly string[]> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  try {
    const names = await readdir(directory);
    return names
      .filter((name) => name.startsWith(prefix) && !name.endsWith('.gz') && !name.endsWith('.tmp'))
      .sort()
      .map((name) => join(directory, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The file once there is one: a container that has said nothing yet has none. Undefined when there will be none. */
async function appeared(path: string, options: ReadLogOptions): Promise<FileHandle | undefined> {
  const changes = watchFile(path, options);
  try {
    while (!options.signal.aborted) {
      const over = options.isOver();
      const file = await openLog(path);
      if (file || over) return file;
      await changes.next();
    }
    return undefined;
  } finally {
    changes.close();
  }
}

async function* followed(
  path: string,
  start: { readonly file: FileHandle; readonly offset: number },
  options: ReadLogOptions,
): AsyncGenerator<Buffer> {
  const select = selector(options);
  const changes = watchFile(path, options);
  let { file, offset } = start;
  let rest = Buffer.alloc(0);
  try {
    while (!options.signal.aborted) {
      const over = options.isOver();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, offset);
      if (bytesRead > 0) {
        offset += bytesRead;
        const text = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = text.lastIndexOf(NEWLINE) + 1;
        rest = text.subarray(end);
        yield render(splitLines(text.subarray(0, end)).filter(select), options);
        continue;
      }
      const next = await rotatedAway(path, file);
      if (next) {
        await file.close();
        file = next;
        offset = 0;
      } else if (over) return;
      else await changes.next();
    }
  } finally {
    changes.close();
    await file.close();
  }
}

/** The new file at `path` when the one that is read has been renamed. */
async function rotatedAway(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  try {
    const [held, present] = await Promise.all([file.stat(), stat(path)]);
    return held.ino === present.ino ? undefined : await openLog(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Wakes on writes to the file's folder, and now and then in case one was missed. */
function watchFile(path: string, options: ReadLogOptions): { next(): Promise<void>; close(): void } {
  let changed = false;
  let wake: (() => void) | undefined;
  const notice = (): void => {
    changed = true;
    wake?.();
  };
  const watcher = watch(dirname(path), { persistent: false }, notice);
  watcher.on('error', notice);
  options.signal.addEventListener('abort', notice);
  return {
    next: () =>
      new Promise((resolve) => {
        const timer = options.clock.after(POLL_MS, notice);
        wake = () => {
          timer.cancel();
          changed = false;
          wake = undefined;
          resolve();
        };
        if (changed) wake();
      }),
    close: () => {
      options.signal.removeEventListener('abort', notice);
      watcher.close();
    },
  };
}

function splitLines(text: Buffer): readonly LogLine[] {
  const lines: LogLine[] = [];
  let start = 0;
  while (start < text.length) {
    const found = text.indexOf(NEWLINE, start);
    const end = found < 0 ? text.length : found;
    const line = parseLogLine(text.subarray(start, end));
    if (line) lines.push(line);
    start = end + 1;
  }
  return lines;
}

function selector({ since, stream }: ReadLogOptions): (line: LogLine) => boolean {
  const wanted = stream === 'Stdout' ? 'stdout' : stream === 'Stderr' ? 'stderr' : undefined;
  return (line) =>
    (wanted === undefined || line.stream === wanted) &&
    (since === undefined || Date.parse(line.time.toString('latin1')) >= since);
}

/** The last `count` lines, where partial lines belong to the one that ends them. */
function lastLines(lines: readonly LogLine[], count: number): readonly LogLine[] {
  let start = lines.length;
  for (let found = 0; start > 0; start--) {
    if (lines[start - 1]?.partial === false || start === lines.length) found++;
    if (found > count) break;
  }
  return count === 0 ? [] : lines.slice(start);
}

function render(lines: readonly LogLine[], options: ReadLogOptions): Buffer {
  const parts: Buffer[] = [];
  let continued = false;
  for (const line of lines) {
    if (options.timestamps === true && !continued) parts.push(line.time, Buffer.from(' '));
    parts.push(line.text);
    if (!line.partial) parts.push(Buffer.from('\n'));
    continued = line.partial;
  }
  return Buffer.concat(parts);
}
