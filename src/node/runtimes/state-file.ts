import { readFile, rename, writeFile } from 'node:fs/promises';

/** Replaces a file as a whole: a reader sees the old content or the new one, never a part. */
export async function writeState(path: string, value: object): Promise<void> {
  await writeFile(`${path}.tmp`, JSON.stringify(value), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/** The text of a file, undefined when there is no such file. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const missingCodes: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH', 'ENODEV']);

/** Whether an error says that a file, folder, process or control group is not there, or went while it was read. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && missingCodes.has(error.code);
}
