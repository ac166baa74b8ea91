import { release } from 'node:os';
import { readIfPresent } from '../state-file.ts';
import { runCommand } from '../run-command.ts';
import { shellQuote } from './launcher.ts';
import { findTool } from './select-launcher.ts';
import { hasAllIds } from './user-ranges.ts';

/** What makes mounts whose owners a user namespace translates: Perl, by the kernel's calls themselves, or util-linux from 2.39. */
export type MapTool = 'perl' | 'mount';

/** From 6.3 on tmpfs can be mounted so, which volumes of secrets are in. */
const oldestKernel = [6, 3] as const;

/** The tool that this machine has, or why pods cannot have user namespaces of their own. */
export async function findMapTool(): Promise<{ readonly tool: MapTool } | { readonly missing: string }> {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  if (major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]))
    return {
      missing: `Linux ${oldestKernel.join('.')} is needed for ID-mapped mounts, this is ${release()}`,
    };
  if (!(await hasAllIds()))
    return { missing: 'this node runs in a user namespace itself (rootless), and has no ids to give away' };
  if ((await readIfPresent('/proc/sys/user/max_user_namespaces'))?.trim() === '0')
    return { missing: 'the machine allows no user namespaces (sysctl user.max_user_namespaces is 0)' };
  if (await findTool('perl')) return { tool: 'perl' };
  const version = /util-linux (\d+)\.(\d+)/.exec(await runCommand('mount', ['--version']).catch(() => ''));
  if (version && (Number(version[1]) > 2 || Number(version[2]) >= 39)) return { tool: 'mount' };
  return { missing: 'ID-mapped mounts need perl, or mount of util-linux 2.39' };
}

/**
 * `open_tree` (428), `mount_setattr` (442) and `move_mount` (429) have the same numbers on every architecture that Node.js
 * supports. Arguments: the namespace, then pairs of what is mounted and where. What begins with `+` may stay as it is where its
 * file system cannot be mounted so.
 */
const perlProgram = `use strict; my $ns = shift; open(my $users, "<", $ns) or die "$ns: $!\\n";
my ($here, $none) = (-100, "\\0"); my $attributes = pack("Q4", 0x100000, 0, 0, fileno($users));
while (my ($from, $to) = splice(@ARGV, 0, 2)) {
  my $lenient = $from =~ s/^[+]//; my ($source, $target) = ("$from\\0", "$to\\0");
  my $tree = syscall(428, $here, $source, 0x88001);
  die "cannot mount $from: $!\\n" if $tree < 0;
  die "cannot map the owners of $from for the pod: its file system does not support ID-mapped mounts ($!)\\n"
    if syscall(442, $tree, $none, 0x1000, $attributes, 32) != 0 && !$lenient;
  die "cannot mount $from: $!\\n" if syscall(429, $tree, $none, $here, $target, 4) != 0;
}`;

const mountProgram = `ns=$1; shift
while [ $# -gt 0 ]; do
  from=\${1#+}
  mount --rbind -o "X-mount.idmap=$ns" "$from" "$2" || { [ "$from" != "$1" ] && mount --rbind "$from" "$2"; } || exit 1
  shift 2
done`;

export interface MappedMount {
  readonly source: string;
  /** A name in the folder of mapped mounts. */
  readonly name: string;
  /** Whether a file system that cannot map owners may show those of the machine. */
  readonly lenient?: boolean;
}

interface MappedRoot {
  readonly tool: MapTool;
  /** The file of the user namespace. */
  readonly users: string;
  /** An empty folder, which stays empty outside of the container's mount namespace. */
  readonly folder: string;
  readonly mounts: readonly MappedMount[];
  /** Names of the image's layers among them, the lowest first. */
  readonly layers: readonly string[];
  /** The container's own folder, relative to the state directory. */
  readonly container: string;
}

/**
 * The one folder of a container's mount namespace that every user can reach, whatever the modes of Kanoe's own folders are. No
 * pod with user namespaces of its own sees the machine's shared memory.
 */
export const mappedFolder = '/dev/shm';

/**
 * A part of a container's wrapper, run in its mount namespace and in the state directory: it mounts all that the container
 * sees below {@link mappedFolder} with owners mapped, and `rootfs` there over the layers.
 */
export function mapScript({ tool, users, folder, mounts, layers, container }: MappedRoot): string {
  const program = tool === 'perl' ? ['perl', '-e', perlProgram] : ['sh', '-c', mountProgram, 'map'];
  const pairs = mounts.flatMap(({ source, name, lenient }) => [
    `${lenient === true ? '+' : ''}${source}`,
    `${folder}/${name}`,
  ]);
  return [
    `mount -t tmpfs -o mode=711,size=1m tmpfs ${shellQuote(folder)} || return 1`,
    'point() { if [ -d "$1" ]; then mkdir "$2"; else : > "$2"; fi; }',
    ...mounts.map(({ source, name }) => `point ${shellQuote(source)} ${shellQuote(`${folder}/${name}`)}`),
    `mkdir ${shellQuote(`${folder}/rootfs`)}`,
    `${[...program, users, ...pairs].map(shellQuote).join(' ')} || return 1`,
    `mount --rbind ${shellQuote(folder)} ${mappedFolder} || return 1`,
    `mount -t overlay -o lowerdir=${layers
      .map((name) => `${mappedFolder}/${name}`)
      .toReversed()
      .join(
        ':',
      )},upperdir=${container}/upper,workdir=${container}/work overlay ${mappedFolder}/rootfs || return 1`,
    '',
  ].join('\n');
}
