import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Gives a tree to a group that may read and write it; folders hand the group on (the kubelet's SetVolumeOwnership). */
export async function giveToGroup(root: string, group: number): Promise<void> {
  await giveOne(root, group);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) await giveOne(join(entry.parentPath, entry.name), group);
}

async function giveOne(path: string, group: number): Promise<void> {
  const stat = await lstat(path);
  await lchown(path, stat.uid, group);
  if (stat.isSymbolicLink()) return;
  await chmod(path, (stat.mode & 0o7777) | (stat.isDirectory() ? 0o2770 : 0o660));
}
