import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Stats } from 'node:fs';
import type { HostPathVolumeSource } from '../../api/core/v1.gen.ts';
import { machinePath } from '../plugins/kubelet-paths.ts';
import { isMissing } from '../missing-file.ts';
import { VolumeError } from './volume-error.ts';

/**
 * Checks (and, where its type says so, creates) a hostPath volume; resolves to the path, which for the kubelet's files is the
 * node's own. Throws `VolumeError`.
 */
export async function setUpHostPath(source: HostPathVolumeSource, nodeDirectory: string): Promise<string> {
  const { type = '' } = source;
  const path = machinePath(source.path, nodeDirectory);
  const found = await statOf(path);
  switch (type) {
    case '':
      if (!found) await mkdir(path, { recursive: true, mode: 0o755 });
      return path;
    case 'DirectoryOrCreate':
      if (!found) await mkdir(path, { recursive: true, mode: 0o755 });
      return require(path, !found || found.isDirectory(), 'a directory');
    case 'FileOrCreate':
      if (!found) await touch(path);
      return require(path, !found || found.isFile(), 'a file');
    case 'Directory':
      return require(path, found?.isDirectory(), 'a directory');
    case 'File':
      return require(path, found?.isFile(), 'a file');
    case 'Socket':
      return require(path, found?.isSocket(), 'a socket file');
    case 'CharDevice':
      return require(path, found?.isCharacterDevice(), 'a character device');
    case 'BlockDevice':
      return require(path, found?.isBlockDevice(), 'a block device');
    default:
      throw new VolumeError(`unsupported host path type ${String(type)}`);
  }
}

function require(path: string, holds: boolean | undefined, what: string): string {
  if (holds !== true) throw new VolumeError(`hostPath type check failed: ${path} is not ${what}`);
  return path;
}

async function touch(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const file = await open(path, 'a', 0o644);
  await file.close();
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
