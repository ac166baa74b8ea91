import { access, constants, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../../base/clock.ts';
import { RuntimeError, type ContainerResources, type ContainerStats } from '../../container-runtime.ts';
import { isMissing, readIfPresent } from '../state-file.ts';
import type { DeviceRule } from './oci-config.ts';

/** Where the machine's control groups are mounted. */
export interface CgroupMounts {
  readonly version: 1 | 2;
  /** Version 1: mount point by controller (`name=systemd` too). Version 2: empty. */
  readonly controllers: ReadonlyMap<string, string>;
  /** The version 2 mount; beside version 1 controllers in a hybrid set-up. */
  readonly unified: string | undefined;
}

const knownControllers = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
  'misc',
  'name=systemd',
]);

/** Reads mount points out of `/proc/self/mountinfo`'s text. */
export function parseCgroupMounts(mountinfo: string): CgroupMounts {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const mountPoint = left.split(' ')[4];
    const [type, , options = ''] = right.split(' ');
    if (!mountPoint?.startsWith('/sys/fs/cgroup')) continue;
    if (type === 'cgroup2') unified = mountPoint;
    if (type !== 'cgroup') continue;
    for (const option of options.split(',')) {
      if (knownControllers.has(option)) controllers.set(option, mountPoint);
    }
  }
  return { version: controllers.has('memory') || controllers.has('cpu') ? 1 : 2, controllers, unified };
}

/** The control groups of this machine; none where this user may not make any. */
export async function detectCgroups(): Promise<CgroupMounts> {
  const mounts = parseCgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const root = mounts.version === 2 ? mounts.unified : mounts.controllers.get('pids');
  const writable = await access(root ?? '/sys/fs/cgroup', constants.W_OK).then(
    () => true,
    () => false,
  );
  return writable ? mounts : { version: 2, controllers: new Map(), unified: undefined };
}

/** Whether there are control groups to put anything into. */
export function hasCgroups({ controllers, unified }: CgroupMounts): boolean {
  return controllers.size > 0 || unified !== undefined;
}

const PAGE_BYTES = 4096;
const joined = ['cpu', 'cpuacct', 'memory', 'pids', 'devices', 'name=systemd'];
const deviceRules = [
  'c *:* m',
  'b *:* m',
  'c 1:3 rwm',
  'c 1:5 rwm',
  'c 1:7 rwm',
  'c 1:8 rwm',
  'c 1:9 rwm',
  'c 5:0 rwm',
  'c 5:1 rwm',
  'c 5:2 rwm',
  'c 136:* rwm',
];

/** The groups of one cluster; a group is named by its path below the cluster's (`SANDBOX/CONTAINER`). */
export class Cgroups {
  readonly mounts: CgroupMounts;
  /** Path of the cluster's group below each mount, `/kanoe-ID`. */
  readonly root: string;
  #ownProcs: Promise<string | undefined> | undefined;

  constructor(mounts: CgroupMounts, root: string) {
    this.mounts = mounts;
    this.root = root.startsWith('/') ? root : `/${root}`;
  }

  /** Makes a group and its parents and sets its limits. */
  async create(path: string, resources: ContainerResources): Promise<void> {
    await Promise.all(this.#folders(path).map((folder) => mkdir(folder, { recursive: true })));
    if (this.mounts.version === 2) await this.#enableControllers(path);
    await this.update(path, resources);
  }

  async update(path: string, resources: ContainerResources): Promise<void> {
    await Promise.all(
      limitWrites(this.mounts.version, resources).map(async ([controller, writes]) => {
        const folder = this.#folder(controller, path);
        if (!folder) return;
        for (const [name, value] of writes) await writeOptional(join(folder, name), value);
      }),
    );
  }

  /** Like {@link update}, of a group with members: what was unlimited stays so, and a limit that does not take is an error. */
  async change(path: string, resources: ContainerResources): Promise<void> {
    await this.update(path, { cpuQuota: -1, ...resources });
    const { memoryLimitBytes } = resources;
    if (memoryLimitBytes === undefined) return;
    const v2 = this.mounts.version === 2;
    const file = join(this.#folder('memory', path) ?? '', v2 ? 'memory.max' : 'memory.limit_in_bytes');
    const now = Number(await readIfPresent(file));
    if (Math.abs(now - memoryLimitBytes) < PAGE_BYTES || Number.isNaN(now)) return;
    throw new RuntimeError(
      'FAILED',
      `the kernel does not take memory limit ${memoryLimitBytes}: ${now} stays in force`,
    );
  }

  /** Version 1: allows the usual character devices and those that are named, and nothing else. */
  async restrictDevices(path: string, more: readonly DeviceRule[]): Promise<void> {
    const folder = this.#folder('devices', path);
    if (!folder || this.mounts.version === 2) return;
    await writeFile(join(folder, 'devices.deny'), 'a');
    const rules = more.flatMap(({ type, major, minor, access }) =>
      type === undefined || access === '' ? [] : [`${type} ${major}:${minor} ${access}`],
    );
    for (const rule of [...deviceRules, ...rules]) await writeFile(join(folder, 'devices.allow'), rule);
  }

  /** Files into which a process writes its id to join the group. */
  joinFiles(path: string): readonly string[] {
    return this.#folders(path).map((folder) => join(folder, 'cgroup.procs'));
  }

  /** The file whose `oom_kill` line counts the processes killed for memory in the group. */
  oomFile(path: string): string {
    const folder = this.#folder('memory', path) ?? '';
    return join(folder, this.mounts.version === 2 ? 'memory.events' : 'memory.oom_control');
  }

  /**
   * Makes the next entries into groups fast. The kernel waits for an RCU grace period (10 to 20 ms) at the first move after a
   * pause, even at one that goes nowhere; made early, that wait runs beside the preparation of a container.
   */
  async warmUp(): Promise<void> {
    this.#ownProcs ??= ownGroup(this.mounts);
    const file = await this.#ownProcs;
    if (file !== undefined) await writeOptional(file, String(process.pid));
  }

  /** Moves a process out of its container's group and into one of the cluster that has no limits. */
  async expel(pid: number): Promise<void> {
    await this.create('shims', {});
    await Promise.all(this.joinFiles('shims').map((file) => writeOptional(file, String(pid))));
  }

  async stats(path: string, clock: Clock): Promise<ContainerStats | undefined> {
    const memory = this.#folder('memory', path) ?? '';
    const v2 = this.mounts.version === 2;
    const [usageText, memoryStat, cpuText, pids] = await Promise.all([
      readIfPresent(join(memory, v2 ? 'memory.current' : 'memory.usage_in_bytes')),
      readIfPresent(join(memory, 'memory.stat')),
      readIfPresent(
        v2 ? join(memory, 'cpu.stat') : join(this.#folder('cpuacct', path) ?? '', 'cpuacct.usage'),
      ),
      readIfPresent(join(this.#folder('pids', path) ?? '', 'pids.current')),
    ]);
    if (usageText === undefined || cpuText === undefined) return undefined;
    const usage = Number(usageText);
    const inactive = numberOf(memoryStat ?? '', v2 ? 'inactive_file' : 'total_inactive_file');
    return {
      at: clock.now(),
      cpuNanoseconds: v2 ? numberOf(cpuText, 'usage_usec') * 1000 : Number(cpuText),
      memoryUsageBytes: usage,
      memoryWorkingSetBytes: Math.max(0, usage - inactive),
      ...(pids === undefined ? {} : { pids: Number(pids) }),
    };
  }

  /** Kills every process of the group and of those below it; gives the process ids. */
  async kill(path: string): Promise<readonly number[]> {
    const pids = new Set<number>();
    for (const folder of this.#folders(path)) await collectProcesses(folder, pids);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return [...pids];
  }

  /** Removes the group with those below it from every hierarchy, waiting a second for processes that are just ending. */
  async remove(path: string, clock: Clock): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const removed = await Promise.all(this.#allFolders(path).map(removeTree));
      if (removed.every(Boolean)) return;
      await sleep(clock, 20);
    }
  }

  #folder(controller: string, path: string): string | undefined {
    const mount = this.mounts.version === 2 ? this.mounts.unified : this.mounts.controllers.get(controller);
    return mount === undefined ? undefined : join(mount, this.root, path);
  }

  #folders(path: string): readonly string[] {
    if (this.mounts.version === 2)
      return this.mounts.unified ? [join(this.mounts.unified, this.root, path)] : [];
    const mounts = joined.flatMap((controller) => this.mounts.controllers.get(controller) ?? []);
    return [...new Set(mounts)].map((mount) => join(mount, this.root, path));
  }

  #allFolders(path: string): readonly string[] {
    const mounts = new Set([
      ...this.mounts.controllers.values(),
      ...(this.mounts.unified ? [this.mounts.unified] : []),
    ]);
    return [...mounts].map((mount) => join(mount, this.root, path));
  }

  async #enableControllers(path: string): Promise<void> {
    let folder = this.mounts.unified ?? '';
    const parts = [...this.root.split('/'), ...path.split('/')].filter(Boolean);
    for (const part of parts) {
      for (const controller of ['+cpu', '+memory', '+pids']) {
        await writeOptional(join(folder, 'cgroup.subtree_control'), controller);
      }
      folder = join(folder, part);
    }
  }
}

type Writes = readonly (readonly [file: string, value: string])[];

/** Which file of which controller gets which value. */
export function limitWrites(
  version: 1 | 2,
  resources: ContainerResources,
): readonly (readonly [controller: string, writes: Writes])[] {
  const { cpuShares, cpuQuota, cpuPeriod = 100_000, memoryLimitBytes, pidsLimit } = resources;
  const cpu: [string, string][] = [];
  const memory: [string, string][] = [];
  const pids: [string, string][] = [];
  if (version === 2) {
    if (cpuShares) cpu.push(['cpu.weight', String(weightOfShares(cpuShares))]);
    if (cpuQuota) cpu.push(['cpu.max', `${cpuQuota > 0 ? cpuQuota : 'max'} ${cpuPeriod}`]);
    if (memoryLimitBytes) memory.push(['memory.max', String(memoryLimitBytes)], ['memory.swap.max', '0']);
    if (memoryLimitBytes) memory.push(['memory.oom.group', '1']);
    if (pidsLimit) pids.push(['pids.max', String(pidsLimit)]);
  } else {
    if (cpuShares) cpu.push(['cpu.shares', String(cpuShares)]);
    if (cpuQuota) cpu.push(['cpu.cfs_period_us', String(cpuPeriod)], ['cpu.cfs_quota_us', String(cpuQuota)]);
    if (memoryLimitBytes) {
      // The second must never be below the first: which goes first depends on the direction, so the first is tried twice.
      memory.push(
        ['memory.limit_in_bytes', String(memoryLimitBytes)],
        ['memory.memsw.limit_in_bytes', String(memoryLimitBytes)],
        ['memory.limit_in_bytes', String(memoryLimitBytes)],
      );
    }
    if (pidsLimit) pids.push(['pids.max', String(pidsLimit)]);
  }
  return [
    ['cpu', cpu],
    ['memory', memory],
    ['pids', pids],
  ];
}

/** The conversion that OCI runtimes use from version 1 shares (2..262144) to version 2 weight (1..10000). */
export function weightOfShares(shares: number): number {
  const clamped = Math.min(262_144, Math.max(2, shares));
  return 1 + Math.floor(((clamped - 2) * 9999) / 262_142);
}

function numberOf(text: string, key: string): number {
  const line = text.split('\n').find((line) => line.startsWith(`${key} `));
  return Number(line?.slice(key.length + 1) ?? 0);
}

/** The file that lists the members of the group in which this process is. */
async function ownGroup(mounts: CgroupMounts): Promise<string | undefined> {
  const lines = ((await readIfPresent('/proc/self/cgroup')) ?? '').trim().split('\n');
  const wanted = mounts.version === 2 ? '' : 'pids';
  const line = lines.map((line) => line.split(':')).find((parts) => parts[1] === wanted);
  const mount = mounts.version === 2 ? mounts.unified : mounts.controllers.get(wanted);
  return line && mount ? join(mount, line[2] ?? '', 'cgroup.procs') : undefined;
}

/** A controller that this machine lacks has no file to write; that limit is then not applied. */
async function writeOptional(path: string, value: string): Promise<void> {
  try {
    await writeFile(path, value);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!['ENOENT', 'EACCES', 'EBUSY', 'EINVAL', 'ENODEV', 'EOPNOTSUPP', 'ESRCH'].includes(String(code)))
      throw error;
  }
}

async function collectProcesses(folder: string, pids: Set<number>): Promise<void> {
  const text = await readIfPresent(join(folder, 'cgroup.procs'));
  if (text === undefined) return;
  for (const line of text.split('\n')) if (Number(line) > 0) pids.add(Number(line));
  for (const child of await subfolders(folder)) await collectProcesses(child, pids);
}

async function removeTree(folder: string): Promise<boolean> {
  const children = await Promise.all((await subfolders(folder)).map(removeTree));
  try {
    await rmdir(folder);
    return children.every(Boolean);
  } catch (error) {
    if (isMissing(error)) return true;
    return access(folder).then(
      () => false,
      () => true,
    );
  }
}

async function subfolders(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
