import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from '../missing-file.ts';

/** One file of a {@link Payload}. */
export interface PayloadFile {
  readonly data: Uint8Array;
  readonly mode: number;
  /** Owner, when it is not the agent's user. */
  readonly uid?: number;
}

/** Files by path relative to the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>;

const DATA = '..data';

/**
 * Makes `directory` show exactly the payload; readers see the old files or the new ones, never a mixture.
 *
 *     volume/..2026_01_01_00_00_00.123/key     the files
 *     volume/..data -> ..2026_01_01…           swapped by one rename
 *     volume/key -> ..data/key                 one link per first path segment
 *
 * Resolves to whether anything changed.
 */
export async function writePayload(
  directory: string,
  payload: Payload,
  group: number | undefined,
): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  const previous = await linkTarget(join(directory, DATA));
  if (previous !== undefined && (await holds(join(directory, previous), payload))) return false;
  const fresh = await mkdtemp(join(directory, '..data-'));
  await writeFiles(fresh, payload, group);
  const swap = join(directory, `${DATA}_tmp`);
  await rm(swap, { force: true });
  await symlink(fresh.slice(directory.length + 1), swap);
  await rename(swap, join(directory, DATA));
  await showLinks(directory, payload);
  if (group !== undefined) await chown(directory, -1, group);
  await chmod(directory, group === undefined ? 0o777 : 0o2777);
  if (previous !== undefined) await rm(join(directory, previous), { recursive: true, force: true });
  return true;
}

async function writeFiles(root: string, payload: Payload, group: number | undefined): Promise<void> {
  await chmod(root, 0o755);
  for (const [path, file] of payload) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.data);
    if (file.uid !== undefined || group !== undefined) await chown(target, file.uid ?? -1, group ?? -1);
    await chmod(target, group === undefined ? file.mode : file.mode | 0o440);
  }
}

async function showLinks(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  for (const name of await readdir(directory)) {
    if (name.startsWith('..') || wanted.delete(name)) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
  for (const name of wanted) await symlink(join(DATA, name), join(directory, name));
}

async function holds(directory: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    },
  );
  const files = entries?.filter((entry) => entry.isFile());
  if (files?.length !== payload.size) return false;
  for (const [path, file] of payload) {
    const target = join(directory, path);
    const stat = await lstat(target).catch(() => undefined);
    if (stat?.size !== file.data.byteLength || (stat.mode & 0o700) !== (file.mode & 0o700)) return false;
    if (Buffer.compare(await readFile(target), file.data) !== 0) return false;
  }
  return true;
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
