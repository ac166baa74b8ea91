import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalVolumes, type LocalVolumes } from './local-volumes.ts';

let directory: string;
let volumes: LocalVolumes;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'local-volumes-'));
  volumes = createLocalVolumes(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const folder = { layout: 'directory', sizeBytes: 1024 } as const;

describe('local volumes', () => {
  it('gives everybody a folder, once', async () => {
    await volumes.create('v', folder);
    const path = await volumes.publish('v', 'pod');
    await writeFile(join(path, 'file'), 'kept');
    await volumes.create('v', folder);
    expect([(await stat(path)).mode & 0o777, await readdir(path)]).toEqual([0o777, ['file']]);
  });

  it('copies volumes and snapshots as they were, links included', async () => {
    await volumes.create('v', folder);
    const path = await volumes.publish('v', 'pod');
    await writeFile(join(path, 'file'), 'old', { mode: 0o640 });
    await symlink('file', join(path, 'link'));
    await volumes.snapshot('s', { of: 'v', sizeBytes: 5 });
    await writeFile(join(path, 'file'), 'new');
    await volumes.create('restored', { ...folder, source: { kind: 'snapshot', handle: 's' } });
    await volumes.create('clone', { ...folder, source: { kind: 'volume', handle: 'v' } });
    const restored = await volumes.publish('restored', 'pod');
    const clone = await volumes.publish('clone', 'pod');
    expect([
      await readFile(join(restored, 'link'), 'utf8'),
      (await stat(join(restored, 'file'))).mode & 0o777,
      (await stat(restored)).mode & 0o777,
      await readFile(join(clone, 'file'), 'utf8'),
    ]).toEqual(['old', 0o640, 0o777, 'new']);
  });

  it('forgets what is removed', async () => {
    await volumes.create('v', folder);
    await volumes.snapshot('s', { of: 'v', sizeBytes: 5 });
    await volumes.remove('v');
    await volumes.remove('v');
    expect([await readdir(join(directory, 'volumes')), await volumes.snapshotSize('s')]).toEqual([[], 5]);
    await volumes.removeSnapshot('s');
    expect(await volumes.snapshotSize('s')).toBe(undefined);
    await expect(volumes.publish('v', 'pod')).rejects.toThrow('volume v has no data on this machine');
  });

  it.each(['../x', 'a/b', '', '.', 'A'])('refuses the handle %j', async (handle) => {
    await expect(volumes.create(handle, folder)).rejects.toThrow('is no handle of a local volume');
  });
});
