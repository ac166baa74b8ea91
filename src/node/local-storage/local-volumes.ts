import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isMissing } from '../missing-file.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { createDiskFiles, releaseDisks, type DiskKind, type GrowthState } from './disk-files.ts';

const run = promisify(execFile);

/** How a volume is kept: as a folder, or as a disk of fixed size in a file, with a file system or without. */
export type LocalLayout = 'directory' | 'disk' | 'block';

/** What a new volume begins with. */
export interface LocalSource {
  readonly kind: 'volume' | 'snapshot';
  readonly handle: string;
}

export interface NewLocalVolume {
  readonly layout: LocalLayout;
  readonly sizeBytes: number;
  readonly source?: LocalSource;
}

/** Local volumes as nodes use them. */
export interface LocalVolumeUse {
  /** Lets a pod use a volume: a folder, or for a volume without a file system a device. Throws `VolumeError`. */
  publish(handle: string, podUid: string): Promise<string>;
  /** Takes back everything from a pod. */
  unpublish(podUid: string): Promise<void>;
}

/** The volumes and snapshots that one machine keeps. Every method is idempotent and throws `VolumeError`. */
export interface LocalVolumes extends LocalVolumeUse {
  create(handle: string, volume: NewLocalVolume): Promise<void>;
  /** Makes a disk larger, also while it is in use if the kernel lets us; folders have no size. */
  expand(handle: string, sizeBytes: number): Promise<GrowthState>;
  remove(handle: string): Promise<void>;
  /** Copies a volume as it is now; blocks are shared where the file system can. */
  snapshot(name: string, volume: { readonly of: string; readonly sizeBytes: number }): Promise<void>;
  removeSnapshot(name: string): Promise<void>;
  /** The size that a snapshot was made with, if it is there. */
  snapshotSize(name: string): Promise<number | undefined>;
  /** Gives mounts and devices back; the data stays. */
  close(): Promise<void>;
}

/** Keeps volumes below `directory/volumes` and snapshots below `directory/snapshots`. */
export function createLocalVolumes(directory: string): LocalVolumes {
  const folders = { volume: join(directory, 'volumes'), snapshot: join(directory, 'snapshots') };
  const disks = createDiskFiles();
  /** Uids of the pods that use a disk. */
  const users = new Map<string, Set<string>>();
  const working = new Map<string, Promise<unknown>>();

  function oneAtATime<T>(path: string, work: () => Promise<T>): Promise<T> {
    const result = (working.get(path) ?? Promise.resolve()).then(work, work);
    working.set(
      path,
      result.catch(() => undefined),
    );
    return result;
  }

  const pathOf = ({ kind, handle }: LocalSource): string => join(folders[kind], checked(handle));

  /** What is kept at a path, if anything. */
  async function layoutAt(path: string): Promise<LocalLayout | undefined> {
    const kind = await disks.kindOf(path);
    if (kind !== undefined) return kind === 'raw' ? 'block' : 'disk';
    return (await exists(path)) ? 'directory' : undefined;
  }

  /** Makes `to` hold what `from` holds, a volume or a snapshot; it is there completely or not at all. */
  async function duplicate(from: LocalSource, to: LocalSource): Promise<void> {
    const [source, target] = [pathOf(from), pathOf(to)];
    const layout = await layoutAt(source);
    if (layout === undefined)
      throw new VolumeError(`${from.kind} ${from.handle} has no data on this machine`);
    if (from.kind === 'volume') await disks.settle(source);
    const place = (path: string): string =>
      layout === 'directory' ? path : disks.fileOf(path, diskKind(layout));
    const fresh = `${place(target)}.new`;
    await rm(fresh, { recursive: true, force: true });
    await copy(place(source), fresh);
    await rename(fresh, place(target));
  }

  async function createEmpty(path: string, { layout, sizeBytes }: NewLocalVolume): Promise<void> {
    const isFolder = layout === 'directory';
    const place = isFolder ? path : disks.fileOf(path, diskKind(layout));
    const fresh = `${place}.new`;
    await rm(fresh, { recursive: true, force: true });
    if (isFolder) {
      await mkdir(fresh);
      await chmod(fresh, 0o777);
    } else await disks.shape(fresh, diskKind(layout), sizeBytes);
    await rename(fresh, place);
  }

  return {
    async create(handle, volume) {
      const path = pathOf({ kind: 'volume', handle });
      if ((await layoutAt(path)) !== undefined) return;
      await mkdir(folders.volume, { recursive: true, mode: 0o711 });
      if (!volume.source) {
        await createEmpty(path, volume);
        return;
      }
      const found = await layoutAt(pathOf(volume.source));
      if (found !== undefined && found !== volume.layout)
        throw new VolumeError(
          `${volume.source.kind} ${volume.source.handle} is kept as ${found}: it cannot become a volume that is kept as ${volume.layout}`,
        );
      await duplicate(volume.source, { kind: 'volume', handle });
      await disks.grow(path, volume.sizeBytes);
    },
    expand(handle, sizeBytes) {
      const path = pathOf({ kind: 'volume', handle });
      return oneAtATime(path, () => disks.grow(path, sizeBytes));
    },
    async remove(handle) {
      const path = pathOf({ kind: 'volume', handle });
      await disks.release(path);
      await removeAll(path);
    },
    async publish(handle, podUid) {
      const path = pathOf({ kind: 'volume', handle });
      const layout = await layoutAt(path);
      if (layout === undefined)
        throw new VolumeError(`volume ${handle} has no data on this machine: ${path} does not exist`);
      if (layout === 'directory') return path;
      const pods = users.get(path) ?? new Set<string>();
      users.set(path, pods.add(podUid));
      return oneAtATime(path, () => disks.open(path));
    },
    async unpublish(podUid) {
      for (const [path, pods] of users) {
        if (!pods.delete(podUid) || pods.size > 0) continue;
        await oneAtATime(path, async () => {
          if (pods.size === 0) await disks.release(path);
        });
      }
    },
    async snapshot(name, { of: handle, sizeBytes }) {
      const target = { kind: 'snapshot', handle: name } as const;
      if ((await layoutAt(pathOf(target))) !== undefined) return;
      await mkdir(folders.snapshot, { recursive: true, mode: 0o700 });
      await writeFile(sizeFileOf(name), String(sizeBytes));
      await duplicate({ kind: 'volume', handle }, target);
    },
    async removeSnapshot(name) {
      await removeAll(pathOf({ kind: 'snapshot', handle: name }));
      await rm(sizeFileOf(name), { force: true });
    },
    async snapshotSize(name) {
      if ((await layoutAt(pathOf({ kind: 'snapshot', handle: name }))) === undefined) return undefined;
      return Number(await readFile(sizeFileOf(name), 'utf8'));
    },
    close: () => releaseDisks(folders.volume),
  };

  function sizeFileOf(name: string): string {
    return `${pathOf({ kind: 'snapshot', handle: name })}.size`;
  }

  async function removeAll(path: string): Promise<void> {
    for (const kind of ['file-system', 'raw'] as const) await rm(disks.fileOf(path, kind), { force: true });
    await rm(path, { recursive: true, force: true });
  }
}

function diskKind(layout: LocalLayout): DiskKind {
  return layout === 'block' ? 'raw' : 'file-system';
}

/** Handles come from objects that anybody may write: one must not lead to another place. */
function checked(handle: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(handle) && handle.length <= 128) return handle;
  throw new VolumeError(`${JSON.stringify(handle)} is no handle of a local volume`);
}

/** Copies with owners, modes and times, sharing blocks and keeping holes where the file system can. */
async function copy(from: string, to: string): Promise<void> {
  const options = process.platform === 'linux' ? ['-a', '--reflink=auto', '--sparse=auto'] : ['-pR'];
  try {
    await run('cp', [...options, '--', from, to]);
  } catch (error) {
    throw new VolumeError(`copying ${from} failed: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
