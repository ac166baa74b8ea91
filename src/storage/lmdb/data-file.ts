import { open, truncate } from 'node:fs/promises';
import { StoreError } from '../kv.ts';

/* Where LMDB keeps in each of its two meta pages what is looked at here, in bytes. */
const META_PAGES = 2;
const MAGIC_AT = 24;
const VERSION_AT = MAGIC_AT + 4;
const PAGE_SIZE_AT = MAGIC_AT + 24;
const LAST_PAGE_AT = MAGIC_AT + 120;
const HEAD = LAST_PAGE_AT + 8;

const MAGIC = 0xbeefc0de;
const VERSION = 2;

/**
 * Lengthens a data file that is shorter than its newest transaction says and tells whether it was. Throws `CORRUPT`
 * when it is no LMDB file at all, which the library would not survive.
 *
 * LMDB maps the file: reading a page behind its end kills the process with SIGBUS, reading a page of zeros is an error.
 * A short file is either cut off or merely ends in unused pages; only reading all of it tells which.
 */
export async function lengthenShortFile(file: string): Promise<boolean> {
  const { length, expected } = await lengthsOf(file);
  if (length >= expected) return false;
  await truncate(file, expected);
  return true;
}

async function lengthsOf(file: string): Promise<{ length: number; expected: number }> {
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size: length } = await handle.stat();
    if (length === 0) return { length, expected: 0 };
    const head = Buffer.alloc(HEAD);
    let expected = 0;
    let pageSize = 0;
    for (let page = 0; page < META_PAGES; page += 1) {
      const { bytesRead } = await handle.read(head, 0, HEAD, page * pageSize);
      const version = head.readUInt16LE(VERSION_AT);
      if (bytesRead < HEAD || head.readUInt32LE(MAGIC_AT) !== MAGIC || version !== VERSION) {
        const message = `${file} is damaged: restore it from a backup, or remove it to begin anew`;
        throw new StoreError('CORRUPT', message);
      }
      pageSize ||= head.readUInt32LE(PAGE_SIZE_AT);
      expected = Math.max(expected, (Number(head.readBigUInt64LE(LAST_PAGE_AT)) + 1) * pageSize);
    }
    return { length, expected };
  } finally {
    await handle.close();
  }
}
