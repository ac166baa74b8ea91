import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import type { Image } from '../../image-service.ts';
import { runtimeContract, type RuntimeSubject } from '../runtime.contract.ts';
import { createNativeRuntime } from './native-runtime.ts';
import { purgeNativeRuntime } from './purge.ts';
import { findTool } from './select-launcher.ts';

const layer = mkdtempSync(join(tmpdir(), 'kanoe-layer-'));
afterAll(() => rmSync(layer, { recursive: true, force: true }));

const privileged = process.getuid?.() === 0;
const busybox = await findTool('busybox');
const image = busybox === undefined ? undefined : busyboxImage(busybox);
let clusters = 0;

for (const launcher of ['crun', 'runc', 'util-linux'] as const) {
  const missing = launcher !== 'util-linux' && (await findTool(launcher)) === undefined;
  const skip = privileged
    ? image
      ? missing
        ? `${launcher} is not installed`
        : undefined
      : 'busybox is not installed'
    : 'needs root';
  if (image || skip) runtimeContract(subjectFor(launcher, skip));
}

function subjectFor(launcher: 'crun' | 'runc' | 'util-linux', skip: string | undefined): RuntimeSubject {
  clusters += 1;
  const clusterId = `t${process.pid.toString(16)}${clusters}`;
  const network = { attach: async () => ({ ip: '10.244.0.2' }), detach: async () => {} };
  return {
    name: `native with ${launcher}`,
    ...(skip === undefined ? {} : { skip }),
    image: image ?? emptyImage(),
    features: new Set([
      ...(['isolation', 'limits', 'adoption', 'terminal', 'sys', 'handlers'] as const),
      ...(launcher === 'util-linux' ? [] : (['users'] as const)),
    ]),
    handler: launcher === 'util-linux' ? 'crun' : 'util-linux',
    create: (folder, images) =>
      createNativeRuntime({
        directory: join(folder, 'state'),
        runDirectory: join(folder, 'run'),
        clusterId,
        images,
        network,
        clock: systemClock,
        launcher,
      }),
    purge: (folder) =>
      purgeNativeRuntime({
        directory: join(folder, 'state'),
        runDirectory: join(folder, 'run'),
        clusterId,
        clock: systemClock,
      }),
    leftovers: (folder) => [
      ...readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(folder)),
      ...cgroupFolders().filter((path) => path.includes(`kanoe-${clusterId}`)),
      ...execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.includes(folder)),
    ],
  };
}

function cgroupFolders(): readonly string[] {
  const root = '/sys/fs/cgroup';
  return readdirSync(root).flatMap((name) => [
    join(root, name),
    ...(existsSync(join(root, name, 'cgroup.procs')) ? readdirSync(join(root, name)) : []),
  ]);
}

function busyboxImage(program: string): Image {
  for (const folder of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'run', 'var'])
    mkdirSync(join(layer, folder));
  cpSync(program, join(layer, 'bin/busybox'), { dereference: true });
  for (const applet of execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('/bin/busybox', join(layer, 'bin', applet));
  }
  symlinkSync('/run', join(layer, 'var/run'));
  writeFileSync(
    join(layer, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n',
  );
  writeFileSync(join(layer, 'etc/group'), 'root:x:0:\nwww-data:x:33:\n');
  return { ...emptyImage(), layers: [layer] };
}

function emptyImage(): Image {
  return {
    id: 'sha256:busybox',
    tags: ['busybox:test'],
    digests: [],
    sizeBytes: 0,
    layers: [],
    os: 'linux',
    architecture: 'amd64',
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
}
