import { chmod, mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../kv.ts';

/** Raised whenever an older Kanoe could not read what this one writes. */
export const STORE_FORMAT = 1;

/** Creates the directory when it is absent; only its owner may enter it. */
export async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
}

/** Throws `NEWER_FORMAT` or `CORRUPT` unless this program can read what is there. Changes nothing. */
export async function assertReadableFormat(directory: string, dataFile: string): Promise<void> {
  const path = join(directory, 'format.json');
  const text = await readIfThere(path);
  if (text === undefined) {
    if (!(await exists(dataFile))) return;
    throw new StoreError('CORRUPT', `${path} is missing beside ${dataFile}: restore both from one backup`);
  }
  const format = formatOf(text);
  if (format === undefined)
    throw new StoreError('CORRUPT', `${path} does not tell a format: ${text.slice(0, 80)}`);
  if (format <= STORE_FORMAT) return;
  throw new StoreError(
    'NEWER_FORMAT',
    `${directory} has store format ${format}, this program knows up to ${STORE_FORMAT}: ` +
      'use the newer Kanoe that wrote it, or another data directory',
  );
}

/** Writes the format down, durably, where it is not yet. */
export async function stampFormat(directory: string): Promise<void> {
  const path = join(directory, 'format.json');
  if (await exists(path)) return;
  const draft = `${path}.new`;
  await writeFile(draft, `${JSON.stringify({ format: STORE_FORMAT })}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
}

/** Makes the names of new files durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function formatOf(text: string): number | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('format' in parsed)) return undefined;
    return typeof parsed.format === 'number' ? parsed.format : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
