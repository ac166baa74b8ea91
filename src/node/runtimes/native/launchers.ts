import { RuntimeError } from '../../container-runtime.ts';
import type { CgroupMounts } from './cgroups.ts';
import type { Launcher } from './launcher.ts';
import type { NativeLayout } from './layout.ts';
import { selectLauncher, type LauncherChoice } from './select-launcher.ts';

const names: readonly string[] = ['crun', 'runc', 'util-linux'] satisfies readonly Launcher['name'][];

/** The launchers of a machine by the handlers of RuntimeClasses: `crun`, `runc` and `util-linux`. */
export interface Launchers {
  /** What pods without a RuntimeClass get. */
  readonly usual: Launcher;
  /** Makes sure of a handler's launcher. Throws `UNSUPPORTED` when there is none. */
  require(handler: string | undefined): Promise<void>;
  /** One that was made sure of, else the usual. */
  of(handler: string | undefined): Launcher;
}

/** The launcher of choice, and the others once somebody asks for them. */
export async function createLaunchers(
  choice: LauncherChoice,
  layout: NativeLayout,
  cgroups: CgroupMounts,
): Promise<Launchers> {
  const usual = await selectLauncher(choice, layout, cgroups);
  const known = new Map<string, Launcher>([[usual.name, usual]]);
  return {
    usual,
    async require(handler) {
      if (handler === undefined || known.has(handler)) return;
      const missing = `failed to get sandbox runtime: no runtime for ${JSON.stringify(handler)} is configured`;
      if (!names.includes(handler)) throw new RuntimeError('UNSUPPORTED', missing);
      known.set(handler, await selectLauncher(handler as Launcher['name'], layout, cgroups));
    },
    of: (handler) => (handler === undefined ? usual : (known.get(handler) ?? usual)),
  };
}
