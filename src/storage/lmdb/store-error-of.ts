import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError } from '../kv.ts';

/** LMDB's own numbers, and those of errno, by what they mean for the store. */
const noSpace: ReadonlySet<unknown> = new Set([28, 122, -30792, 'ENOSPC', 'EDQUOT']);
const corrupt: ReadonlySet<unknown> = new Set([-30797, -30796, -30795, -30794, -30793]);
const IO_ERROR = 5;
const ALMOST_FULL_BYTES = 1 << 20;

/** What a failed operation on `path` means. LMDB reports a write that was cut short by a full disk as an I/O error. */
export async function storeErrorOf(error: unknown, path: string): Promise<StoreError> {
  if (error instanceof StoreError) return error;
  const cause = await rootCause(error);
  const code = codeOf(cause);
  if (noSpace.has(code) || (code === IO_ERROR && (await isAlmostFull(path)))) {
    return new StoreError('NO_SPACE', `no space is left for ${path}: free some and try again`, { cause });
  }
  if (corrupt.has(code)) {
    const message = `${path} is damaged: restore it from a backup, or remove it to begin anew`;
    return new StoreError('CORRUPT', message, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError('UNREADABLE', `cannot use ${path}: ${reason}`, { cause });
}

/** A failed commit carries its reason as a promise that rejects with it. */
async function rootCause(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

async function isAlmostFull(path: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(dirname(path));
  return bavail * bsize < ALMOST_FULL_BYTES;
}
