import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
  openSync,
  closeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../src/api/core/v1.gen.ts';
import { configmaps } from '../src/api/core/v1.gen.ts';
import { createClient } from '../src/client/create-client.ts';
import type { Client } from '../src/client/client.ts';
import { createHttpsTransport } from '../src/client/https-transport.ts';
import { connectionOf, readKubeconfigs } from '../src/client/kubeconfig-file.ts';
import type { Live } from '../src/machinery/object.ts';
import { mainProcess } from './support/container-processes.ts';
import { eventually } from './support/eventually.ts';
import { makeImage, writeArchive } from './support/image-archive.ts';
import { serveImage } from './support/image-server.ts';
import { kanoeProgram, makeWorkplace, startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';
import { must, run } from './support/run.ts';

function pod(name: string, program: string, image: string = 'kanoe.local/node:20'): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image, command: ['node', '-e', program] }],
    },
  };
}

const counter = pod('counter', 'let n = 0; setInterval(() => console.log(n++), 20)');
const web = pod('web', "require('http').createServer((q, s) => s.end('x')).listen(80)");

async function clientOf(place: Workplace): Promise<Client> {
  return createClient(createHttpsTransport(await connectionOf(await readKubeconfigs([place.kubeconfig]))));
}

async function killKanoe(place: Workplace): Promise<void> {
  process.kill(Number(place.record().process?.pid), 'SIGKILL');
  await eventually(async () => expect((await place.kanoe(['status'])).code).toBe(3));
}

interface Running {
  readonly id: string;
  readonly restarts: number;
  readonly startedAt: string;
}

async function runningOf(place: Workplace, name: string): Promise<Running> {
  const { status } = await place.kubectl().json<Live<Pod>>('get', 'pod', name);
  const [container] = status?.containerStatuses ?? [];
  expect(container?.ready).toBe(true);
  return {
    id: container?.containerID ?? '',
    restarts: container?.restartCount ?? -1,
    startedAt: container?.state?.running?.startedAt ?? '',
  };
}

describeWith({ root: true, kubectl: true }, 'when Kanoe is killed', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await startKanoe();
  });
  afterAll(() => place.stop());

  it('in the middle of 1,000 creations, everything it acknowledged is there, and containers run on', async () => {
    const kubectl = place.kubectl();
    await kubectl.apply([counter, web]);
    await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    const before = await runningOf(place, 'counter');
    const counting = mainProcess(before.id);
    const serving = mainProcess((await runningOf(place, 'web')).id);

    const client = await clientOf(place);
    const acknowledged: string[] = [];
    let next = 0;
    const writer = async (): Promise<void> => {
      while (next < 1000) {
        const name = `object-${next++}`;
        await client.for(configmaps).create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace: 'default' },
          data: { value: name.repeat(20) },
        });
        acknowledged.push(name);
        if (acknowledged.length === 400) process.kill(Number(place.record().process?.pid), 'SIGKILL');
      }
    };
    const results = await Promise.allSettled(Array.from({ length: 20 }, writer));
    await client.transport.close();
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    expect(acknowledged.length).toBeGreaterThanOrEqual(400);
    expect(acknowledged.length).toBeLessThan(1000);
    process.kill(serving, 'SIGKILL');

    await place.up();
    const again = await clientOf(place);
    const { items } = await again.for(configmaps).list({ namespace: 'default' });
    await again.transport.close();
    const found = new Map(items.map(({ metadata, data }) => [metadata.name, data?.['value']]));
    expect(acknowledged.filter((name) => found.get(name) !== name.repeat(20))).toEqual([]);

    expect(await runningOf(place, 'counter')).toEqual(before);
    expect(mainProcess(before.id)).toBe(counting);
    await eventually(async () => expect((await runningOf(place, 'web')).restarts).toBe(1));
  });

  it('the log of a container goes on without a gap, and exec reaches it', async () => {
    const kubectl = place.kubectl();
    const numbers = async (): Promise<readonly number[]> =>
      (await kubectl('logs', 'counter')).trim().split('\n').map(Number);
    const last = (await numbers()).at(-1) ?? 0;
    const all = await eventually(async () => {
      const now = await numbers();
      expect(now.at(-1)).toBeGreaterThan(last + 20);
      return now;
    });
    expect(all.every((number, at) => number === at)).toBe(true);
    expect(await kubectl('exec', 'counter', '--', 'node', '-p', '6 * 7')).toBe('42\n');
  });

  it('and a container is deleted, it does not come back', async () => {
    const kubectl = place.kubectl();
    await kubectl.apply([pod('doomed', 'setInterval(() => {}, 1000)')]);
    await kubectl('wait', '--for=condition=Ready', 'pod/doomed', '--timeout=60s');
    await kubectl('delete', 'pod', 'doomed', '--wait=false');
    await killKanoe(place);
    await place.up();
    await eventually(async () => expect(await kubectl('get', 'pods', '-o', 'name')).not.toContain('doomed'));
  });

  it('while an image is loaded, the image can be loaded again and runs', async () => {
    const archive = join(place.directory, 'app.tar');
    const image = makeImage(place.directory, { files: { '/big': Buffer.alloc(60 << 20, 7) } });
    writeArchive(archive, 'example.test/app:1', image);
    const loading = place.spawnKanoe('load', archive);
    const images = join(place.record().dataDirectory, 'images');
    await eventually(() => must('sh', ['-c', `test -n "$(find ${images} -newer ${archive} -size +1M)"`]));
    loading.process.kill('SIGKILL');
    await loading.ended;
    await killKanoe(place);
    await place.up(['--load', archive]);
    const kubectl = place.kubectl();
    await kubectl.apply([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'loaded' },
        spec: {
          restartPolicy: 'Never',
          containers: [
            {
              name: 'main',
              image: 'example.test/app:1',
              command: ['/bin/sh', '-c', 'test -f /big && echo whole'],
            },
          ],
        },
      },
    ]);
    await eventually(async () => expect(await kubectl('logs', 'loaded')).toBe('whole\n'));
    const left = await must('sh', ['-c', `find ${images}/tmp -mindepth 1 -maxdepth 1`]);
    expect(left).toBe('');
  });

  it('a lock of a process that is no more does not hold the data directory', async () => {
    const { dataDirectory } = place.record();
    await place.down();
    const stale = { pid: 2 ** 22 - 7, started: 'boot/1', since: '2020-01-01T00:00:00Z' };
    writeFileSync(join(dataDirectory, 'store/holder.1.json'), JSON.stringify(stale));
    await place.up();
    expect(await place.kubectl()('get', 'configmap', 'object-0', '-o', 'name')).toBe('configmap/object-0\n');
  });
});

describeWith({ root: true, kubectl: true }, 'when a registry is down', () => {
  let place: Workplace;
  let registry: Server | undefined;
  beforeAll(async () => {
    place = await startKanoe();
  });
  afterAll(async () => {
    registry?.close();
    await place.stop();
  });

  it('events name it, and the pod runs once it is up', async () => {
    const kubectl = place.kubectl();
    const port = await freePort();
    const image = `127.0.0.1:${port}/team/app:1`;
    await kubectl.apply([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'pulled' },
        spec: {
          containers: [{ name: 'main', image, command: ['/bin/sh', '-c', 'echo up; read x'], stdin: true }],
        },
      },
    ]);
    await eventually(async () => {
      const events = await kubectl(
        'get',
        'events',
        '-o',
        'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
      );
      expect(events).toMatch(
        new RegExp(`^Failed: Failed to pull image "${image}": .*127\\.0\\.0\\.1:${port}.*REFUSED`, 'm'),
      );
      expect(events).toContain(`BackOff: Back-off pulling image "${image}"`);
    });
    const reason = 'jsonpath={.status.containerStatuses[0].state.waiting.reason}';
    expect(await kubectl('get', 'pod', 'pulled', '-o', reason)).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
    registry = await serveImage(makeImage(place.directory), port);
    await kubectl('wait', '--for=condition=Ready', 'pod/pulled', '--timeout=60s');
    await eventually(async () => expect(await kubectl('logs', 'pulled')).toBe('up\n'));
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return typeof address === 'object' && address ? address.port : 0;
}

describeWith({ root: true, kubectl: true }, 'when the disk is full', () => {
  let place: Workplace;
  let disk: string;
  beforeAll(async () => {
    place = await makeWorkplace();
    disk = join(place.directory, 'disk');
    mkdirSync(disk);
    await must('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
  });
  afterAll(async () => {
    await place.mustKanoe(['down', '--purge']);
    await must('umount', [disk]);
    await place.stop();
  });

  function fill(): void {
    const file = openSync(join(disk, 'fill'), 'a');
    const block = Buffer.alloc(4096);
    try {
      while (writeSync(file, block) > 0);
    } catch {
      closeSync(file);
    }
  }

  it('writes are refused with the reason, reads go on, and writes do once there is room', async () => {
    const kubectl = place.kubectl();
    await place.up(['--nodes', '0', '--data-dir', join(disk, 'data')]);
    await kubectl('create', 'configmap', 'before', '--from-literal=a=b');
    fill();
    const big = `--from-literal=a=${'x'.repeat(100_000)}`;
    const refused = await kubectl.try(['create', 'configmap', 'large', big]);
    expect(refused.stderr).toMatch(/no space is left for .*\/disk\/data/);
    expect(refused.code).toBe(1);
    expect(await kubectl('get', 'configmap', 'before', '-o', 'jsonpath={.data.a}')).toBe('b');
    expect(await kubectl('get', 'configmaps', '-o', 'name')).not.toContain('large');
    rmSync(join(disk, 'fill'));
    await kubectl('create', 'configmap', 'large', big);
    await killKanoe(place);
    await place.up(['--nodes', '0']);
    expect(await kubectl('get', 'configmaps', '-o', 'name')).toMatch(/before[^]*large/);
  });

  it('up says so', async () => {
    await place.down();
    fill();
    const { stderr, code } = await place.kanoe(['up', '--detach', '--nodes', '0', '--port', '0']);
    expect(stderr).toMatch(/no space is left for .*\/disk\/data/);
    expect(code).toBe(1);
    rmSync(join(disk, 'fill'));
  });
});

describe('a data directory that cannot be used', () => {
  let place: Workplace;
  let data: string;
  beforeAll(async () => {
    place = await startKanoe(['--nodes', '0']);
    data = place.record().dataDirectory;
    await place.down();
  });
  afterAll(() => place.stop());

  it.each<[string, string, (text: string) => string, RegExp]>([
    ['of a newer layout', 'cluster.json', newer, /format 99, made by a newer Kanoe.*--data-dir/],
    ['of a newer store', 'store/format.json', newer, /store format 99.*newer Kanoe/],
    ['with a damaged identity', 'cluster.json', () => '{', /cluster\.json is damaged/],
    ['with a damaged store', 'store/data.mdb', (text) => 'x'.repeat(text.length), /store.*(damaged|cannot)/],
  ])('%s is refused and left as it is', async (_, name, change, message) => {
    const file = join(data, name);
    const before = readFileSync(file, 'latin1');
    writeFileSync(file, change(before), 'latin1');
    const { stderr, code } = await place.kanoe(['up', '--detach', '--nodes', '0', '--port', '0']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(code).toBe(1);
    writeFileSync(file, before, 'latin1');
    await place.up(['--nodes', '0']);
    await place.down();
  });

  it('held by another process is refused, and its pid told', async () => {
    const stranger = await makeWorkplace();
    await place.up(['--nodes', '0']);
    const { stderr, code } = await stranger.kanoe(['up', '--nodes', '0', '--port', '0', '--data-dir', data]);
    expect(stderr).toContain(`is held by process ${place.record().process?.pid}`);
    expect(code).toBe(1);
    expect((await place.kanoe(['status'])).code).toBe(0);
    await stranger.stop();
    await place.down();
  });

  it('that this user may not read is refused, and the reason told', async () => {
    const stranger = await makeWorkplace();
    for (const folder of [stranger.directory, join(stranger.directory, 'home')]) chmodSync(folder, 0o777);
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, kanoeProgram];
    const up = ['up', '--nodes', '0', '--port', '0', '--name', stranger.name, '--data-dir', data];
    const outcome = await run('setpriv', [...nobody, ...up], { env: stranger.env });
    expect(outcome.stderr).toMatch(/cannot use data directory .*EACCES/);
    expect(outcome.code).toBe(1);
    await stranger.stop();
  });
});

function newer(text: string): string {
  return text.replace(/"format":\d+/, '"format":99');
}
