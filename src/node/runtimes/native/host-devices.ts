import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OciDevice } from './oci-config.ts';

const skipped = new Set(['pts', 'shm', 'mqueue', 'console', 'fd', '.lxc', 'hugepages', '.udev']);

/** The machine's device nodes, which a privileged container gets. */
export async function hostDevices(folder = '/dev'): Promise<readonly OciDevice[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => !skipped.has(entry.name))
      .map(async (entry): Promise<readonly OciDevice[]> => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return hostDevices(path);
        if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
        return [await deviceAt(path, path)];
      }),
  );
  return found.flat();
}

/** A device of the machine as a container is to see it. */
export async function deviceAt(hostPath: string, path: string): Promise<OciDevice> {
  const stats = await stat(hostPath);
  const { rdev, mode, uid, gid } = stats;
  return {
    path,
    type: stats.isBlockDevice() ? 'b' : 'c',
    major: ((rdev >> 8) & 0xfff) | 0,
    minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
    fileMode: mode & 0o7777,
    uid,
    gid,
  };
}
