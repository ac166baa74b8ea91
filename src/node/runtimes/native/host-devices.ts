import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerDevice } from '../../container-runtime.ts';
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

/** A device that a container may use, and how: letters of `rwm`. */
export interface GrantedDevice {
  readonly device: OciDevice;
  readonly access: string;
}

/** The devices of the machine at a path, which may be a folder, as a container is to see them. */
export async function grantedDevices({
  hostPath,
  containerPath,
  permissions: access = 'rwm',
}: ContainerDevice): Promise<readonly GrantedDevice[]> {
  if (!(await stat(hostPath)).isDirectory())
    return [{ device: await deviceAt(hostPath, containerPath), access }];
  const found = await hostDevices(hostPath);
  return found.map((device) => ({
    device: { ...device, path: join(containerPath, device.path.slice(hostPath.length)) },
    access,
  }));
}

/** A device of the machine as a container is to see it. */
async function deviceAt(hostPath: string, path: string): Promise<OciDevice> {
  const stats = await stat(hostPath);
  const { rdev, mode, uid, gid } = stats;
  return {
    path,
    type: stats.isBlockDevice() ? 'b' : 'c',
    ...deviceNumbers(rdev),
    fileMode: mode & 0o7777,
    uid,
    gid,
  };
}

/** The numbers by which Linux knows a device. */
export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: ((rdev >> 8) & 0xfff) | 0, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}
