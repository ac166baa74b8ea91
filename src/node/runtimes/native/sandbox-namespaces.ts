import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { RuntimeError, type SandboxSpec } from '../../container-runtime.ts';
import { runCommand, toolPath } from '../run-command.ts';
import { shellQuote } from './launcher.ts';
import type { NativeLayout } from './layout.ts';
import type { NamespaceType } from './oci-config.ts';
import type { UserRange } from './user-ranges.ts';

const sharedMemoryOptions = 'nosuid,nodev,noexec,mode=1777,size=65536k';

const setup = `
shm=$1; host=$2; net=$3; shift 3
[ -z "$host" ] || { echo "$host" > /proc/sys/kernel/hostname; } 2> /dev/null || hostname "$host" || exit 1
[ -z "$net" ] || ip link set lo up || exit 1
[ -z "$shm" ] || mount -t tmpfs -o ${sharedMemoryOptions} shm "$shm" || exit 1
# In a user namespace only groups that it has can be named.
limit() { [ "$1" = net/ipv4/ping_group_range ] && echo 0 0 > "/proc/sys/$1"; }
while [ $# -gt 0 ]; do { echo "$2" > "/proc/sys/$1"; } 2> /dev/null || limit "$1" || { echo "cannot set $1 to $2" >&2; exit 1; }; shift 2; done
`;

const pause = `
read -r pid rest < /proc/self/stat; echo $pid; exec >&-
trap 'exit 0' TERM INT
while :; do sleep 2147483647 & wait; done
`;

/**
 * Makes the sandbox's namespaces as files below `ns/ID`, sets host name, loopback and sysctls, mounts its shared memory. With
 * `users` they belong to a user namespace that has these ids.
 */
export async function makeNamespaces(
  layout: NativeLayout,
  id: string,
  spec: SandboxSpec,
  users?: UserRange,
): Promise<void> {
  const folder = join(layout.namespaces, id);
  const kinds = namespaceFiles(spec);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const sharedMemory = spec.hostIPC ? '' : join(layout.sharedMemory, id);
  if (sharedMemory) await mkdir(sharedMemory, { recursive: true });
  if (kinds.length === 0 && !sharedMemory) return;
  await Promise.all(kinds.map(([, file]) => writeFile(join(folder, file), '')));
  const sysctls = Object.entries(sandboxSysctls(spec, users)).flatMap(([name, value]) => [
    name.replaceAll('.', '/'),
    value,
  ]);
  if (users) {
    if (sharedMemory)
      await runCommand('mount', ['-t', 'tmpfs', '-o', sharedMemoryOptions, 'shm', sharedMemory]);
    await makeUserNamespace(
      folder,
      kinds.map(([, file]) => file),
      users,
    );
  }
  await runCommand(users ? 'nsenter' : 'unshare', [
    ...kinds.map(([, file]) => `--${file}=${join(folder, file)}`),
    '/bin/sh',
    '-c',
    setup,
    'sandbox',
    users ? '' : sharedMemory,
    spec.hostNetwork ? '' : spec.hostname,
    spec.hostNetwork ? '' : 'net',
    ...sysctls,
  ]);
}

/** Namespaces of a process that waits until others have named its ids and mounted them on the files. */
async function makeUserNamespace(
  folder: string,
  kinds: readonly string[],
  { first, count }: UserRange,
): Promise<void> {
  const holder = spawn(
    'unshare',
    [...kinds.map((kind) => `--${kind}`), '/bin/sh', '-c', 'echo $$; read -r end'],
    { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: toolPath }, cwd: '/' },
  );
  const ended = once(holder, 'exit');
  try {
    const pid = await Promise.race([
      once(holder.stdout, 'data').then(([line]) => Number(String(line))),
      ended.then(() => Promise.reject(new RuntimeError('FAILED', 'the kernel makes no user namespace'))),
    ]);
    const map = `0 ${first} ${count}`;
    await Promise.all(['uid_map', 'gid_map'].map((name) => writeFile(`/proc/${pid}/${name}`, map)));
    const mount = 'for kind in "$@"; do mount --bind "/proc/$0/ns/$kind" "$kind" || exit 1; done';
    await runCommand('/bin/sh', ['-c', `cd ${shellQuote(folder)} && ${mount}`, String(pid), ...kinds]);
  } finally {
    holder.kill('SIGKILL');
    await ended;
  }
}

/** Paths of the namespaces that the sandbox's containers join; `nodeNetns` is the node's own, if it has one. */
export function namespacePaths(
  layout: NativeLayout,
  id: string,
  spec: SandboxSpec,
  nodeNetns?: string,
): Partial<Record<NamespaceType, string>> {
  const own = namespaceFiles(spec).map(([type, file]) => [type, join(layout.namespaces, id, file)]);
  const shared = spec.hostNetwork && nodeNetns !== undefined ? [['network', nodeNetns]] : [];
  return Object.fromEntries([...own, ...shared]) as Partial<Record<NamespaceType, string>>;
}

/** Unmounts and removes what {@link makeNamespaces} made; idempotent. */
export async function removeNamespaces(layout: NativeLayout, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const folders = ids.flatMap((id) => [join(layout.namespaces, id), join(layout.sharedMemory, id)]);
  await unmountBelow(folders);
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
}

/** Unmounts everything mounted at or below the folders. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  const points = mountinfo
    .split('\n')
    .map((line) => unescapeMountPoint(line.split(' ')[4] ?? ''))
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .toReversed();
  if (points.length > 0) await runCommand('umount', ['--lazy', ...points]);
}

/** Starts the first process of a PID namespace that all the sandbox's containers share; gives its process id. */
export function startPause(joinFiles: readonly string[], users?: string): Promise<number> {
  const enter = users === undefined ? '' : `nsenter ${shellQuote(`--user=${users}`)} -- `;
  return new Promise((resolve, reject) => {
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        `for file in "$@"; do echo 0 > "$file"; done; exec ${enter}unshare --pid --fork /bin/sh -c '${pause.replaceAll("'", `'\\''`)}'`,
        'pause',
        ...joinFiles,
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: toolPath }, cwd: '/' },
    );
    child.unref();
    child.once('error', reject);
    child.once('exit', () =>
      reject(new RuntimeError('FAILED', 'cannot start the process that holds the PID namespace')),
    );
    child.stdout.once('data', (line: Buffer) => {
      child.stdout.destroy();
      resolve(Number(line.toString()));
    });
  });
}

function namespaceFiles(
  spec: SandboxSpec,
): readonly (readonly [NamespaceType, 'user' | 'net' | 'uts' | 'ipc'])[] {
  return [
    ...(spec.userNamespace === true ? ([['user', 'user']] as const) : []),
    ...(spec.hostNetwork
      ? []
      : ([
          ['network', 'net'],
          ['uts', 'uts'],
        ] as const)),
    ...(spec.hostIPC ? [] : ([['ipc', 'ipc']] as const)),
  ];
}

/** Unprivileged ports and pings, as containerd allows them, below what the pod asks for. */
function sandboxSysctls(spec: SandboxSpec, users?: UserRange): Readonly<Record<string, string>> {
  if (spec.hostNetwork) return spec.sysctls;
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': `0 ${users ? users.count - 1 : 2147483647}`,
    ...spec.sysctls,
  };
}

function unescapeMountPoint(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
