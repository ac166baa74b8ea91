import { appendFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { AuditSink } from './audit-log.ts';

export interface LogFileOptions {
  readonly path: string;
  /** A file that has grown beyond this is put aside under a name with the time. */
  readonly maxBytes: number;
  /** How many files put aside are kept, and for how many days; 0 is without limit. */
  readonly maxBackups: number;
  readonly maxAgeDays: number;
  readonly clock: Clock;
  onError(error: unknown): void;
}

/** An audit log in a file. */
export interface LogFile extends AuditSink {
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Writes lines to a file, several at once when they come fast. */
export function openLogFile(options: LogFileOptions): LogFile {
  const { path, maxBytes, clock, onError } = options;
  let waiting: string[] = [];
  let size: number | undefined;
  let writing: Promise<void> | undefined;

  async function drain(): Promise<void> {
    try {
      size ??= await sizeOf(path);
      while (waiting.length > 0) {
        const chunk = Buffer.from(waiting.join(''));
        waiting = [];
        if (size > 0 && size + chunk.length > maxBytes) {
          await putAside(options);
          size = 0;
        }
        await appendFile(path, chunk, { mode: 0o600 });
        size += chunk.length;
      }
    } catch (error) {
      waiting = [];
      onError(error);
    }
    writing = undefined;
  }

  return {
    write(line) {
      waiting.push(line);
      writing ??= new Promise<void>((resolve) => void clock.after(0, resolve)).then(drain);
    },
    async close() {
      await writing;
      if (waiting.length > 0) await drain();
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found?.size ?? 0;
}

/** `audit-2026-01-02T03-04-05.678.log`, as upstream's rotation names it. */
async function putAside({ path, maxBackups, maxAgeDays, clock }: LogFileOptions): Promise<void> {
  const extension = extname(path);
  const stem = basename(path, extension);
  const time = new Date(clock.now()).toISOString().slice(0, 23).replaceAll(':', '-');
  const directory = dirname(path);
  await rename(path, join(directory, `${stem}-${time}${extension}`));
  const pattern = /^-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3})$/;
  const backups = (await readdir(directory))
    .filter((name) => name.startsWith(stem) && name.endsWith(extension))
    .flatMap((name) => {
      const found = pattern.exec(name.slice(stem.length, name.length - extension.length))?.[1];
      return found === undefined ? [] : [{ name, at: timeOf(found) }];
    })
    .sort((a, b) => b.at - a.at);
  const old = backups.filter(
    ({ at }, index) =>
      (maxBackups > 0 && index >= maxBackups) || (maxAgeDays > 0 && clock.now() - at > maxAgeDays * dayMs),
  );
  for (const { name } of old) await rm(join(directory, name), { force: true });
}

function timeOf(text: string): number {
  const [day = '', time = ''] = text.split('T');
  return Date.parse(`${day}T${time.replaceAll('-', ':')}Z`);
}
