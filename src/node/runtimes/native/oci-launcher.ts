import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, toolPath } from '../run-command.ts';
import { readIfPresent } from '../state-file.ts';
import { hasCgroups, type CgroupMounts } from './cgroups.ts';
import { withTerminal, type Launcher } from './launcher.ts';

export interface OciLauncherOptions {
  readonly program: 'crun' | 'runc';
  /** Folder of the OCI runtime's state. */
  readonly root: string;
  readonly cgroups: CgroupMounts;
}

/** Starts containers with `crun` or `runc`; rejects when the program is not there. */
export async function createOciLauncher(options: OciLauncherOptions): Promise<Launcher> {
  const { program, root, cgroups } = options;
  const [firstLine = ''] = (await runCommand(program, ['--version'])).split('\n');
  const joinsCgroup = program === 'crun' && (cgroups.version === 1 || !hasCgroups(cgroups));
  const hiddenMount = program === 'crun' ? await hybridMount(cgroups) : undefined;
  const base = [program, '--root', root];
  return {
    name: program,
    version: firstLine.split(' ').at(-1) ?? '',
    limitations: [],
    joinsCgroup,
    deleteProgram: program === 'runc' ? program : undefined,
    hiddenMount,
    async prepare({ id, folder, pidFile, config }) {
      await writeFile(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
      const log = ['--log', join(folder, 'runtime.log'), '--log-format', 'json'];
      const manager = joinsCgroup ? ['--cgroup-manager=disabled'] : [];
      const keep = program === 'runc' ? ['--keep'] : [];
      const run = [
        ...base,
        ...log,
        ...manager,
        'run',
        ...keep,
        '--bundle',
        folder,
        '--pid-file',
        pidFile,
        id,
      ];
      return config.process.terminal ? withTerminal(run) : run;
    },
    async exec({ id, shimPid, ownUsers }, { command, tty }, pidFile) {
      const enter =
        hiddenMount !== undefined || ownUsers
          ? ['nsenter', '--target', String(shimPid), '--mount', '--']
          : [];
      const terminal = tty ? ['--tty'] : [];
      const logFile = `${pidFile}.log`;
      const log = ['--log', logFile, '--log-format', 'json'];
      return {
        args: [...enter, ...base, ...log, 'exec', '--pid-file', pidFile, ...terminal, id, ...command],
        env: { PATH: toolPath },
        logFile,
      };
    },
  };
}

/** crun refuses a version 2 mount that has controllers of its own beside version 1; in its absence it works. */
async function hybridMount(cgroups: CgroupMounts): Promise<string | undefined> {
  if (cgroups.version === 2 || !cgroups.unified) return undefined;
  const controllers = await readIfPresent(join(cgroups.unified, 'cgroup.controllers'));
  return controllers?.trim() ? cgroups.unified : undefined;
}
