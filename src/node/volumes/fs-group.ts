import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../missing-file.ts';

/** What a group may do with a folder that is its own. */
const FOLDER_BITS = 0o2770;
const FILE_BITS = 0o660;

/**
 * Gives a tree to a group that may read and write it; folders hand the group on (the kubelet's SetVolumeOwnership). With
 * the policy `OnRootMismatch` nothing is done when the root is the group's already.
 */
export async function giveToGroup(
  root: string,
  group: number,
  policy: string | undefined = 'Always',
): Promise<void> {
  if (policy === 'OnRootMismatch' && (await belongsTo(root, group))) return;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) await giveOne(join(entry.parentPath, entry.name), group);
  // The root comes last: it says that the rest is done.
  await giveOne(root, group);
}

async function belongsTo(root: string, group: number): Promise<boolean> {
  const { gid, mode } = await lstat(root);
  return gid === group && (mode & FOLDER_BITS) === FOLDER_BITS;
}

async function giveOne(path: string, group: number): Promise<void> {
  try {
    const stat = await lstat(path);
    await lchown(path, stat.uid, group);
    if (stat.isSymbolicLink()) return;
    await chmod(path, (stat.mode & 0o7777) | (stat.isDirectory() ? FOLDER_BITS : FILE_BITS));
  } catch (error) {
    // Others may use the volume meanwhile.
    if (!isMissing(error)) throw error;
  }
}
