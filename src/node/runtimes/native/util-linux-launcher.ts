import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, toolPath } from '../run-command.ts';
import type { CgroupMounts } from './cgroups.ts';
import { shellQuote, withTerminal, type Launcher, type LaunchPlan } from './launcher.ts';
import type { OciConfig } from './oci-config.ts';
import { rootfsScript } from './rootfs-script.ts';

/** Stays outside the new PID namespace; `unshare --fork` of util-linux 2.38 loses the code of a killed child. */
const waitScript = 'exec 6>&2 2>/dev/null; "$@" 2>&6 6>&-; exit $?';
const neededToStart = ['CAP_SYS_CHROOT', 'CAP_SETUID', 'CAP_SETGID'];

/** Starts containers with `unshare`, `nsenter` and `setpriv`, which every Linux has. */
export async function createUtilLinuxLauncher(cgroups: CgroupMounts): Promise<Launcher> {
  const version = (await runCommand('unshare', ['--version'])).trim().split(' ').at(-1) ?? '';
  // The wrapper's shell ignores INT and QUIT in what it runs beside itself.
  const resetSignals = await runCommand('env', ['--default-signal', 'true']).then(
    () => '--default-signal',
    () => '',
  );
  return {
    name: 'util-linux',
    version,
    limitations: [
      'neither crun nor runc is used: seccomp profiles are not applied',
      'neither crun nor runc is used: capabilities are only partly limited (SYS_CHROOT, SETUID and SETGID stay, and commands run by exec keep all)',
      ...(cgroups.version === 2 ? ['neither crun nor runc is used: access to devices is not limited'] : []),
    ],
    joinsCgroup: true,
    deleteProgram: undefined,
    hiddenMount: undefined,
    async prepare(plan) {
      const script = join(plan.folder, 'launch.sh');
      await writeFile(script, launchScript(plan, resetSignals), { mode: 0o700 });
      await writeFile(join(plan.folder, 'config.json'), JSON.stringify(plan.config), { mode: 0o600 });
      const command = [...enterNamespaces(plan.config), '/bin/sh', script];
      return plan.config.process.terminal ? withTerminal(command) : command;
    },
    async exec({ folder, pid }, { command }, pidFile) {
      const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as OciConfig;
      const { user, env } = config.process;
      const identity = user.uid === 0 ? [] : ['--setgid', String(user.gid), '--setuid', String(user.uid)];
      const target = [
        'nsenter',
        '--target',
        String(pid),
        '--mount',
        '--uts',
        '--ipc',
        '--net',
        '--pid',
        '--cgroup',
      ];
      const note = 'echo $$ > "$1"; shift; exec "$@"';
      const variables = Object.fromEntries(env.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
      return {
        args: [
          '/bin/sh',
          '-c',
          note,
          'exec',
          pidFile,
          ...target,
          '--root',
          '--wd',
          ...identity,
          '--',
          ...command,
        ],
        env: { PATH: toolPath, ...variables },
      };
    },
  };
}

function enterNamespaces(config: OciConfig): readonly string[] {
  const flags: Readonly<Record<string, string>> = { network: 'net', uts: 'uts', ipc: 'ipc', pid: 'pid' };
  const joined = config.linux.namespaces.flatMap(({ type, path }) =>
    path === undefined || flags[type] === undefined ? [] : [`--${flags[type]}=${path}`],
  );
  const ownPid = config.linux.namespaces.some(({ type, path }) => type === 'pid' && path === undefined);
  const propagation = { rshared: 'shared', rslave: 'slave' }[config.linux.rootfsPropagation] ?? 'slave';
  return [
    ...(joined.length > 0 ? ['nsenter', ...joined, '--'] : []),
    'unshare',
    '--mount',
    '--cgroup',
    '--propagation',
    propagation,
    ...(ownPid ? ['--pid', '--', '/bin/sh', '-c', waitScript, 'wait'] : ['--']),
  ];
}

/** Builds the root, checks that the command is there, says that it runs, and becomes the command. */
function launchScript(plan: LaunchPlan, resetSignals: string): string {
  const { process: run } = plan.config;
  const environment = run.env.map((entry) => shellQuote(entry)).join(' ');
  const path = run.env.find((entry) => entry.startsWith('PATH='))?.slice(5) ?? '';
  const [program = ''] = run.args;
  const candidates = program.includes('/')
    ? [program.startsWith('/') ? program : join(run.cwd, program)]
    : path.split(':').map((folder) => join(folder, program));
  return `set -e
log=${shellQuote(join(plan.folder, 'runtime.log'))}
exec 5>&2 2>"$log"
read -r pid rest < /proc/self/stat
${rootfsScript(plan.config)}
found=
for file in ${candidates.map((file) => shellQuote(`.${file}`)).join(' ')}; do
  if [ -e "$file" ] || [ -L "$file" ]; then found=1; break; fi
done
if [ -z "$found" ]; then
  echo ${shellQuote(`unable to start container process: exec: "${program}": executable file not found in $PATH`)} >&2
  exit 127
fi
${run.oomScoreAdj === undefined ? '' : `echo ${run.oomScoreAdj} > /proc/self/oom_score_adj || :`}
echo $pid > ${shellQuote(plan.pidFile)}
exec 2>&5 5>&-
setpriv=$(command -v setpriv) unshare=$(command -v unshare)
exec env -i ${resetSignals} ${environment} "$setpriv" ${identity(run)} "$unshare" --root=. --wd=${shellQuote(run.cwd)} ${run.user.uid === 0 ? '' : `--setuid=${run.user.uid}`} -- ${run.args.map(shellQuote).join(' ')}
`;
}

function identity({ user, capabilities, noNewPrivileges }: OciConfig['process']): string {
  const kept = [...new Set([...capabilities.bounding, ...neededToStart])];
  const bounding = ['-all', ...kept.map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`)].join(',');
  const groups =
    user.additionalGids.length > 0 ? `--groups=${user.additionalGids.join(',')}` : '--clear-groups';
  return `--regid=${user.gid} ${groups} --bounding-set=${bounding} --inh-caps=-all ${noNewPrivileges ? '--no-new-privs' : ''}`;
}
