import { chmod, mkdir, rm, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../missing-file.ts';
import { RuntimeError } from '../container-runtime.ts';
import { runCommand } from '../runtimes/run-command.ts';
import { mountPoints, unmountBelow } from '../volumes/tmpfs.ts';
import { VolumeError } from '../volumes/volume-error.ts';

/** What is in a disk's file: an ext4 file system, or whatever its user writes. */
export type DiskKind = 'file-system' | 'raw';

/** Disks of a fixed size, each a sparse file below one folder, shown by the kernel's loop devices. */
export interface DiskFiles {
  /** The file of a disk, which need not be there. */
  fileOf(path: string, kind: DiskKind): string;
  /** Which kind of disk is at a path; undefined where none is. */
  kindOf(path: string): Promise<DiskKind | undefined>;
  /** Gives a file its size, and a file system where it needs a new or a larger one. */
  shape(file: string, kind: DiskKind, sizeBytes: number): Promise<void>;
  /** Mounts the disk at its path, or finds it a device; resolves to that. */
  open(path: string): Promise<string>;
  /** Makes a disk larger, also while it is open; where the kernel refuses that, when it is opened next. */
  grow(path: string, sizeBytes: number): Promise<GrowthState>;
  /** Writes out what the kernel holds back. */
  settle(path: string): Promise<void>;
  /** Unmounts the disk and gives its device back. */
  release(path: string): Promise<void>;
}

/** Whether a disk has its size, or gets it when nobody uses it any more. */
export type GrowthState = 'grown' | 'at next use';

const suffixes: Readonly<Record<DiskKind, string>> = { 'file-system': '.ext4', raw: '.raw' };

/** Needs root, loop devices and e2fsprogs; without them every disk is refused with what is missing. */
export function createDiskFiles(): DiskFiles {
  const fileOf = (path: string, kind: DiskKind): string => `${path}${suffixes[kind]}`;

  async function kindOf(path: string): Promise<DiskKind | undefined> {
    for (const kind of ['file-system', 'raw'] as const)
      if ((await sizeOf(fileOf(path, kind))) !== undefined) return kind;
    return undefined;
  }

  async function deviceOf(file: string): Promise<string | undefined> {
    const [line = ''] = (await tool('losetup', ['--associated', file, '--noheadings', '-O', 'NAME'])).split(
      '\n',
    );
    return line.trim() || undefined;
  }

  return {
    fileOf,
    kindOf,
    async shape(file, kind, sizeBytes) {
      const held = await sizeOf(file);
      if (held === undefined) await writeFile(file, '', { mode: 0o600 });
      if ((held ?? 0) < sizeBytes) await truncate(file, sizeBytes);
      if (kind === 'raw') return;
      if (!held) {
        await tool('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1,nodiscard', file]);
        await openToAll(file);
        return;
      }
      await fit(file);
    },
    async open(path) {
      const kind = await kindOf(path);
      if (kind === undefined) throw new VolumeError(`there is no disk at ${path}`);
      const file = fileOf(path, kind);
      if (kind === 'raw')
        return (await deviceOf(file)) ?? (await tool('losetup', ['--find', '--show', file])).trim();
      if ((await mountPoints(path)).includes(path)) return path;
      await mkdir(path, { recursive: true });
      if ((await sizeOf(`${file}.grow`)) !== undefined && (await deviceOf(file)) === undefined)
        await fit(file);
      await tool('mount', ['-o', 'loop', '-t', 'ext4', file, path]);
      return path;
    },
    async grow(path, sizeBytes) {
      const kind = await kindOf(path);
      if (kind === undefined) return 'grown';
      const file = fileOf(path, kind);
      if (((await sizeOf(file)) ?? 0) < sizeBytes) await truncate(file, sizeBytes);
      const device = await deviceOf(file);
      if (device !== undefined) await tool('losetup', ['--set-capacity', device]);
      if (kind === 'raw') return 'grown';
      if (device === undefined) {
        await fit(file);
        return 'grown';
      }
      try {
        await tool('resize2fs', [device]);
        return 'grown';
      } catch (error) {
        if (!(error instanceof VolumeError)) throw error;
        await writeFile(`${file}.grow`, '');
        return 'at next use';
      }
    },
    async settle(path) {
      if ((await mountPoints(path)).includes(path)) await tool('sync', ['-f', path]);
    },
    async release(path) {
      const kind = await kindOf(path);
      if (kind === undefined) return;
      await unmountBelow(path);
      const device = await deviceOf(fileOf(path, kind));
      if (device !== undefined) await tool('losetup', ['--detach', device]);
      if (kind === 'file-system') await rmdir(path).catch(ignoreMissing);
    },
  };
}

/** Gives back every mount and device of disks below a folder; needs nothing but the machine's own tables. */
export async function releaseDisks(directory: string): Promise<void> {
  await unmountBelow(directory);
  const table = await runCommand('losetup', [
    '--list',
    '--noheadings',
    '--raw',
    '-O',
    'NAME,BACK-FILE',
  ]).catch(() => '');
  for (const line of table.split('\n')) {
    const [device = '', file = ''] = line.split(' ');
    if (file.startsWith(join(directory, '/'))) await runCommand('losetup', ['--detach', device]);
  }
}

/** Lets everybody write to the root of a new file system, as to that of any other volume here. */
async function openToAll(file: string): Promise<void> {
  const point = `${file}.d`;
  await mkdir(point, { recursive: true });
  await tool('mount', ['-o', 'loop', '-t', 'ext4', file, point]);
  await chmod(point, 0o777);
  await tool('umount', [point]);
  await rmdir(point);
}

/** Makes a file system fill its file; exit code 1 of e2fsck says that it repaired what was wrong. */
async function fit(file: string): Promise<void> {
  await tool('sh', ['-c', 'e2fsck -fy "$0" >&2 || [ $? -eq 1 ]', file]);
  await tool('resize2fs', [file]);
  await rm(`${file}.grow`, { force: true });
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

async function tool(name: string, args: readonly string[]): Promise<string> {
  try {
    return await runCommand(name, args);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new VolumeError(`a disk of fixed size cannot be had: ${error.message}`, { cause: error });
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
