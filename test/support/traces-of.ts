import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** Where a cluster was. */
export interface ClusterPlace {
  /** Six hexadecimal digits. */
  readonly id: string;
  readonly dataDirectory: string;
  readonly runDirectory: string;
  /** A process in whose mount namespace the cluster ran; this one's when absent. */
  readonly mountsOf?: number;
}

/** Whatever is left of a cluster on this machine outside its data: links, tables, control groups, mounts, processes, folders. */
export function tracesOf(place: ClusterPlace): readonly string[] {
  return [...links(place), ...tables(place), ...controlGroups(place), ...mounts(place), ...processes(place)];
}

function links({ id }: ClusterPlace): readonly string[] {
  return namesIn('/proc/sys/net/ipv4/conf')
    .filter((name) => name.startsWith(`k${id}`))
    .map((name) => `link ${name}`);
}

function tables({ id }: ClusterPlace): readonly string[] {
  const { stdout } = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((line) => line.includes(id));
}

function controlGroups({ id }: ClusterPlace): readonly string[] {
  const root = '/sys/fs/cgroup';
  return [root, ...namesIn(root).map((name) => `${root}/${name}`)].flatMap((folder) =>
    namesIn(folder)
      .filter((name) => name.includes(id))
      .map((name) => `control group ${folder}/${name}`),
  );
}

function mounts({ id, dataDirectory, runDirectory, mountsOf }: ClusterPlace): readonly string[] {
  const folders = existsSync(runDirectory) ? [`folder ${runDirectory}`] : [];
  return [
    ...folders,
    ...readText(`/proc/${mountsOf ?? 'self'}/mountinfo`)
      .split('\n')
      .flatMap((line) => {
        const point = line.split(' ')[4] ?? '';
        const own = [dataDirectory, runDirectory].some((folder) => point.startsWith(folder));
        return own || point.includes(id) ? [`mount ${point}`] : [];
      }),
  ];
}

function processes({ id, dataDirectory, runDirectory }: ClusterPlace): readonly string[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
      const grouped = readText(`/proc/${pid}/cgroup`).includes(`kanoe-${id}`);
      const own = grouped || [dataDirectory, runDirectory].some((folder) => command.includes(folder));
      return own ? [`process ${pid} ${command.slice(0, 200)}`] : [];
    });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
