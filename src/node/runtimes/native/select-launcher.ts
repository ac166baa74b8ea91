import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '../../container-runtime.ts';
import { toolPath } from '../run-command.ts';
import type { CgroupMounts } from './cgroups.ts';
import type { Launcher } from './launcher.ts';
import type { NativeLayout } from './layout.ts';
import { createOciLauncher } from './oci-launcher.ts';
import { createUtilLinuxLauncher } from './util-linux-launcher.ts';

export type LauncherChoice = 'auto' | Launcher['name'];

/** The launcher asked for, or the best that is installed: crun, runc, util-linux. */
export async function selectLauncher(
  choice: LauncherChoice,
  layout: NativeLayout,
  cgroups: CgroupMounts,
): Promise<Launcher> {
  for (const program of ['crun', 'runc'] as const) {
    if (choice !== 'auto' && choice !== program) continue;
    if (await findTool(program)) return createOciLauncher({ program, root: layout.runtimeRoot, cgroups });
    if (choice === program) throw new RuntimeError('UNSUPPORTED', `${program} is not installed`);
  }
  if (!(await findTool('unshare')) || !(await findTool('nsenter'))) {
    throw new RuntimeError('UNSUPPORTED', 'containers need crun, runc, or unshare and nsenter (util-linux)');
  }
  return createUtilLinuxLauncher(cgroups);
}

/** The path of a program of this machine. */
export async function findTool(name: string): Promise<string | undefined> {
  for (const folder of toolPath.split(':')) {
    const path = join(folder, name);
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
