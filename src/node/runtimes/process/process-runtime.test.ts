import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import type { Image } from '../../image-service.ts';
import { toolPath } from '../run-command.ts';
import { runtimeContract } from '../runtime.contract.ts';
import { containerSpec, sandboxSpec } from '../runtime-specs.ts';
import { createProcessRuntime, purgeProcessRuntime } from './process-runtime.ts';
import { findProgram } from './program.ts';
import { mapped } from './projected-root.ts';

const image: Image = {
  id: 'sha256:host',
  tags: ['host:test'],
  digests: [],
  sizeBytes: 0,
  layers: [],
  os: process.platform,
  architecture: process.arch === 'x64' ? 'amd64' : process.arch,
  config: {
    user: '',
    env: ['A=image', 'B=image'],
    entrypoint: [],
    cmd: ['sh'],
    workingDir: '',
    volumes: [],
    exposedPorts: [],
  },
};

runtimeContract({
  name: 'process',
  ...(process.platform === 'win32' ? { skip: 'its commands need a POSIX shell' } : {}),
  image,
  features: new Set(['terminal']),
  create: (folder, images) =>
    createProcessRuntime({
      directory: join(folder, 'state'),
      clusterId: 'abcdef',
      images,
      clock: systemClock,
      searchPath: toolPath,
    }),
  purge: (folder) => purgeProcessRuntime({ directory: join(folder, 'state') }),
  leftovers: (folder) =>
    execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(folder)),
});

describe('findProgram', () => {
  const foreign: Image = { ...image, os: 'plan9', architecture: 'mips' };

  it('runs node of any image with the Node.js that runs this', async () => {
    const request = { name: '/usr/local/bin/node', image: foreign, searchPath: '', root: '/nowhere' };
    expect(await findProgram(request)).toBe(process.execPath);
  });

  it('refuses another program of an image for another system', async () => {
    const failure = findProgram({ name: 'nginx', image: foreign, searchPath: toolPath, root: '/nowhere' });
    await expect(failure).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: /the image is made for plan9\/mips/,
    });
  });
});

describe('mapped', () => {
  const mounts = [
    { hostPath: '/host/data', containerPath: '/data', readOnly: false },
    { hostPath: '/host/inner', containerPath: '/data/inner', readOnly: false },
  ];
  it.each([
    ['/data', '/host/data'],
    ['/data/x', '/host/data/x'],
    ['/data/inner/y', '/host/inner/y'],
    ['/database', undefined],
  ])('%s is %s', (path, expected) => {
    expect(mapped(path, mounts)).toBe(expected);
  });
});

describe.skipIf(process.platform !== 'linux')('an agent that was killed', () => {
  it('leaves processes that purging ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kanoe-process-'));
    const directory = join(folder, 'state');
    const images = {
      get: async () => image,
      resolve: async () => image,
      pull: async () => image,
      list: async () => [],
      remove: async () => {},
    };
    const runtime = await createProcessRuntime({
      directory,
      clusterId: 'abcdef',
      images,
      clock: systemClock,
      searchPath: toolPath,
    });
    const sandbox = await runtime.runSandbox(sandboxSpec());
    const id = await runtime.createContainer(sandbox.id, containerSpec(join(folder, 'log')));
    await runtime.startContainer(id);
    const ended = new Promise<number | undefined>((resolve) => {
      runtime.onContainerEvent((status) => resolve(status.exitCode));
    });
    await purgeProcessRuntime({ directory });
    expect(await ended).toBe(137);
    await purgeProcessRuntime({ directory });
    expect(existsSync(directory)).toBe(false);
    rmSync(folder, { recursive: true, force: true });
  });
});
