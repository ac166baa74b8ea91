import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { ContainerMount } from '../../container-runtime.ts';

const systemFolders = new Set([
  'bin',
  'boot',
  'dev',
  'etc',
  'lib',
  'lib32',
  'lib64',
  'libx32',
  'proc',
  'run',
  'sbin',
  'sys',
  'tmp',
  'usr',
  'var',
]);

/**
 * Makes a folder that stands for a container's root: the image's own folders without those of its operating system, and the
 * volumes as links at their paths.
 */
export async function projectRoot(
  root: string,
  layers: readonly string[],
  mounts: readonly ContainerMount[],
): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const layer of layers) {
    const entries = await readdir(layer, { withFileTypes: true });
    for (const entry of entries) {
      if (systemFolders.has(entry.name) || entry.isCharacterDevice()) continue;
      await cp(join(layer, entry.name), join(root, entry.name), { recursive: true, verbatimSymlinks: true });
    }
  }
  const outerFirst = [...mounts].sort((a, b) => a.containerPath.length - b.containerPath.length);
  for (const mount of outerFirst) {
    if (mapped(mount.containerPath, mounts) !== undefined && isInsideAnother(mount, mounts)) continue;
    const target = join(root, mount.containerPath);
    await mkdir(dirname(target), { recursive: true });
    await symlink(mount.hostPath, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function isInsideAnother(mount: ContainerMount, mounts: readonly ContainerMount[]): boolean {
  return mounts.some((other) => other !== mount && mount.containerPath.startsWith(`${other.containerPath}/`));
}

/** The machine's path of what a path of the container names, when a volume holds it. */
export function mapped(path: string, mounts: readonly ContainerMount[]): string | undefined {
  const clean = posix.normalize(path);
  const innermost = [...mounts]
    .sort((a, b) => b.containerPath.length - a.containerPath.length)
    .find((mount) => clean === mount.containerPath || clean.startsWith(`${mount.containerPath}/`));
  return innermost && join(innermost.hostPath, clean.slice(innermost.containerPath.length));
}
