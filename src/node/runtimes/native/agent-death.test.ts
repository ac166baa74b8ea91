import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import type { ContainerStatus } from '../../container-runtime.ts';
import type { Image } from '../../image-service.ts';
import { containerSpec } from '../runtime-specs.ts';
import { createNativeRuntime } from './native-runtime.ts';
import { purgeNativeRuntime } from './purge.ts';
import { findTool } from './select-launcher.ts';

const busybox = await findTool('busybox');
const able = process.getuid?.() === 0 && busybox !== undefined;

const agent = `
import { createNativeRuntime } from './native-runtime.ts';
import { systemClock } from '../../../base/clock.ts';
import { sandboxSpec } from '../runtime-specs.ts';
export async function run(options, image, spec) {
  const images = { get: async () => image };
  const network = { attach: async () => ({ ip: '10.244.0.2' }), detach: async () => {} };
  const runtime = await createNativeRuntime({ ...options, images, network, clock: systemClock });
  const sandbox = await runtime.runSandbox(sandboxSpec());
  const id = await runtime.createContainer(sandbox.id, spec);
  await runtime.startContainer(id);
  process.send(id);
}
`;

it.runIf(able)(
  'containers outlive an agent that is killed, and its successor has their output and their end',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kanoe-death-'));
    const options = {
      directory: join(folder, 'state'),
      runDirectory: join(folder, 'run'),
      clusterId: `d${process.pid.toString(16)}`,
    };
    const image = staticImage(busybox ?? '');
    const spec = {
      ...containerSpec(join(folder, 'log')),
      command: [
        '/bin/busybox',
        'sh',
        '-c',
        'echo before; while [ ! -e /data/go ]; do busybox sleep 0.02; done; echo after; exit 12',
      ],
      mounts: [{ hostPath: folder, containerPath: '/data', readOnly: true }],
    };
    const bundle = join(folder, 'agent.mjs');
    await build({
      stdin: {
        contents: `${agent}\nawait run(${JSON.stringify(options)}, ${JSON.stringify(image)}, ${JSON.stringify(spec)});`,
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      outfile: bundle,
    });
    const child = spawn(process.execPath, [bundle], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [id] = (await once(child, 'message')) as [string];
    child.kill('SIGKILL');
    await once(child, 'exit');

    const unused = async (): Promise<Image> => image;
    const runtime = await createNativeRuntime({
      ...options,
      images: {
        get: unused,
        resolve: unused,
        pull: unused,
        list: async () => [image],
        remove: async () => {},
      },
      network: { attach: async () => ({ ip: '10.244.0.2' }), detach: async () => {} },
      clock: systemClock,
    });
    expect(await runtime.containerStatus(id)).toMatchObject({ state: 'running' });
    expect((await runtime.listSandboxes())[0]).toMatchObject({ ready: true, ip: '10.244.0.2' });
    const ended = new Promise<ContainerStatus>((resolve) => runtime.onContainerEvent(resolve));
    writeFileSync(join(folder, 'go'), '');
    expect(await ended).toMatchObject({ id, state: 'exited', exitCode: 12, reason: 'Error' });
    const lines = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
    expect(lines.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'stdout F before',
      'stdout F after',
    ]);
    await runtime.close();
    await purgeNativeRuntime({ ...options, clock: systemClock });
    rmSync(folder, { recursive: true, force: true });

    function staticImage(program: string): Image {
      return {
        id: 'sha256:busybox',
        tags: [],
        digests: [],
        sizeBytes: 0,
        layers: [makeLayer(program)],
        os: 'linux',
        architecture: 'amd64',
        config: {
          user: '',
          env: ['PATH=/bin'],
          entrypoint: [],
          cmd: [],
          workingDir: '',
          volumes: [],
          exposedPorts: [],
        },
      };
    }

    function makeLayer(program: string): string {
      const layer = join(folder, 'layer');
      mkdirSync(join(layer, 'bin'), { recursive: true });
      cpSync(program, join(layer, 'bin/busybox'), { dereference: true });
      return layer;
    }
  },
);
