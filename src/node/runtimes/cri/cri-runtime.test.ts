import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import type { Image } from '../../image-service.ts';
import { runtimeContract } from '../runtime.contract.ts';
import { connectCri } from './connect-cri.ts';
import { createCriRuntime } from './cri-runtime.ts';
import { purgeCriRuntime } from './purge-cri-runtime.ts';
import {
  importImage,
  startContainerd,
  testHandler,
  testPauseImage,
  whyNoContainerd,
} from './testing/containerd.ts';

const skip = await whyNoContainerd();
const folder = mkdtempSync(join(tmpdir(), 'kanoe-cri-'));
const containerd = skip === undefined ? await startContainerd({ folder, network: '10.213.7' }) : undefined;
const env = ['PATH=/bin', 'A=image', 'B=image'];
const image = bring({ name: 'kanoe.test/busybox:1', env, cmd: ['sh'] });
const namedUserImageId = bring({ name: 'kanoe.test/named:1', env, cmd: ['sh'], user: 'www-data' });
bring({ name: testPauseImage, entrypoint: ['/bin/sleep', '2147483647'] });

afterAll(async () => {
  await containerd?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function bring(what: Parameters<typeof importImage>[2]): string {
  return containerd ? importImage(containerd, folder, what) : '';
}

const owner = { clusterId: `t${process.pid.toString(16)}`, nodeName: 'test' };
const endpoint = containerd?.endpoint ?? '';

runtimeContract({
  name: 'CRI with containerd',
  ...(skip !== undefined && { skip }),
  image: imageWith(image),
  namedUserImageId,
  links: ['eth0', 'lo'],
  // What runs in a container is a child of its sandbox's shim; its arguments say nothing.
  runs: (id) => containerd?.ctr('tasks', 'list').match(new RegExp(`^${id}\\s+\\d+\\s+RUNNING`, 'm')) != null,
  features: new Set(['isolation', 'limits', 'adoption', 'terminal', 'handlers']),
  handler: testHandler,
  create: async (directory, images) =>
    createCriRuntime({
      connection: await connectCri(endpoint, systemClock),
      endpoint,
      owner,
      images,
      network: { attached: async () => {}, detached: async () => {} },
      clock: systemClock,
      directory: join(directory, 'state'),
      cgroupRoot: `kanoe-${owner.clusterId}`,
    }),
  purge: (directory) => purgeCriRuntime({ directory: join(directory, 'state'), clock: systemClock }),
  leftovers: (directory) => [
    ...readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(directory)),
    ...(containerd?.ctr('containers', 'list', '-q').split('\n').filter(Boolean) ?? []),
  ],
});

function imageWith(id: string): Image {
  return {
    id,
    tags: ['busybox:test'],
    digests: [],
    sizeBytes: 0,
    layers: [],
    os: 'linux',
    architecture: 'amd64',
    config: { user: '', env: [], entrypoint: [], cmd: [], workingDir: '', volumes: [], exposedPorts: [] },
  };
}
