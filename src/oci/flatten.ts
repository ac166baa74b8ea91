import { giveTo } from './give-to.ts';
import { chmod, link, lstat, lutimes, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnpackResult } from './unpack.ts';

/**
 * Builds in `target` what an image shows after a layer that removes files: the lower layers (lowest first) without what
 * `removals` names, then the layer itself. Files are hard links, so the copy costs directories only.
 *
 * Whiteouts need no device nodes and no extended attributes this way, which only a privileged process could make.
 */
export async function flatten(
  lower: readonly string[],
  layer: string,
  removals: UnpackResult & { readonly target: string },
): Promise<void> {
  for (const directory of lower) await merge(directory, removals.target);
  for (const path of removals.whiteouts)
    await rm(join(removals.target, path), { recursive: true, force: true });
  for (const path of removals.opaque) await empty(join(removals.target, path));
  await merge(layer, removals.target);
}

async function empty(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
}

/** Lays `from` over `to`, which is a directory: directories merge, everything else replaces. */
async function merge(from: string, to: string): Promise<void> {
  const stat = await lstat(from);
  await chmod(to, stat.mode & 0o7777);
  if (process.getuid?.() === 0) await giveTo(to, stat.uid, stat.gid);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    const there = await lstat(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (entry.isDirectory()) {
      if (there && !there.isDirectory()) await rm(target, { force: true });
      if (!there?.isDirectory()) await mkdir(target);
      await merge(source, target);
      continue;
    }
    if (there) await rm(target, { recursive: true, force: true });
    if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await link(source, target);
  }
  await lutimes(to, stat.atime, stat.mtime);
}
