import { readFileSync, mkdirSync, statSync, existsSync, writeFileSync, chownSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../src/client/create-client.ts';
import { createHttpsTransport } from '../src/client/https-transport.ts';
import { connectionOf, readKubeconfig, readKubeconfigs } from '../src/client/kubeconfig-file.ts';
import { nodes } from '../src/api/core/v1.gen.ts';
import { parseYaml } from '../src/machinery/yaml/parse-yaml.ts';
import { eventually } from './support/eventually.ts';
import { kanoeProgram, makeWorkplace, startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';
import { run } from './support/run.ts';

interface Status {
  readonly state: string;
  readonly ready: boolean;
  readonly pid?: number;
  readonly server?: string;
  readonly runtime: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly nodes?: readonly { readonly name: string; readonly ready: boolean }[];
  readonly startup: {
    readonly apiReadyMs: number;
    readonly nodeReadyMs: number;
    readonly dnsReadyMs: number;
  };
}

async function statusOf(place: Workplace): Promise<Status> {
  const { stdout } = await place.kanoe(['status', '-o', 'json']);
  return JSON.parse(stdout) as Status;
}

/** A deployment whose pods answer every request with the text, and a service of type NodePort before it. */
function answering(text: string, replicas: number = 1): readonly object[] {
  const labels = { app: 'echo' };
  const program = `require('http').createServer((q, s) => s.end(${JSON.stringify(text)} + ' ' + process.pid)).listen(8080)`;
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo' },
      spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'echo' },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              {
                name: 'echo',
                image: 'kanoe.local/node',
                command: ['node', '-e', program],
                readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
  ];
}

async function nodePortOf(place: Workplace): Promise<number> {
  return Number(await place.kubectl()('get', 'service', 'echo', '-o', 'jsonpath={.spec.ports[0].nodePort}'));
}

async function answerOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  return await response.text();
}

async function takePort(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen({ host: '127.0.0.1', port }, done);
  });
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('options of up', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace();
  });
  afterAll(() => place.stop());

  it.each<[string, readonly string[], number, RegExp]>([
    ['an unknown option', ['--nosuch'], 2, /unknown option '--nosuch'/],
    ['a port that is no number', ['--port', 'x'], 2, /a port is a number from 0 to 65535/],
    ['a number of nodes that is none', ['--nodes', '-1'], 2, /whole number/],
    ['a runtime that does not exist', ['--runtime', 'vm'], 2, /Allowed choices are auto, native, process/],
    [
      'a container runtime that does not run',
      ['--container-runtime-endpoint', 'unix:///run/no-such.sock'],
      1,
      /--runtime cri cannot work here: there is no socket \/run\/no-such\.sock/,
    ],
    [
      'an unknown controller, naming those there are',
      ['--controllers', '*,nosuch'],
      1,
      /"nosuch" is not in the list of known controllers.*deployment-controller.*job-controller/,
    ],
    ['a range that is none', ['--service-cidr', '10.96'], 1, /--service-cidr "10.96" is not an IPv4 network/],
    [
      'host bits in a range',
      ['--pod-cidr', '10.244.0.1/16'],
      1,
      /host bits set; the network is 10\.244\.0\.0\/16/,
    ],
    [
      'ranges that overlap',
      ['--pod-cidr', '10.40.0.0/16', '--service-cidr', '10.40.1.0/24'],
      1,
      /--pod-cidr 10\.40\.0\.0\/16 and --service-cidr 10\.40\.1\.0\/24 overlap/,
    ],
    ['a mirror without a URL', ['--mirror', 'docker.io'], 2, /must be HOST=URL/],
    ['a manifest that is not there', ['-f', '/nonexistent.yaml'], 1, /\/nonexistent\.yaml/],
    ['an archive that is not there', ['--nodes', '0', '--load', '/nonexistent.tar'], 1, /\/nonexistent\.tar/],
  ])('refuses %s', async (_, args, code, message) => {
    for (const more of [[], ['--detach']]) {
      const outcome = await place.kanoe(['up', ...more, '--port', '0', ...args]);
      expect(outcome.stderr).toMatch(message);
      expect(outcome.stderr).not.toMatch(/\n {4}at /);
      expect(outcome.code).toBe(code);
    }
  });

  it('refuses a name that cannot be used in file names', async () => {
    const { env } = place;
    for (const command of ['up', 'down', 'status']) {
      const { code, stderr } = await run(process.execPath, [kanoeProgram, command, '--name', '../a'], {
        env,
      });
      expect(stderr).toMatch(/cluster name "\.\.\/a" must have 1 to 40 lower case letters/);
      expect(code).toBe(1);
    }
  });

  it('knows its own version and that of the API', async () => {
    const { stdout } = await run(process.execPath, [kanoeProgram, 'version', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      kubernetes: expect.stringMatching(/^v1\.36\.\d+\+kanoe\./),
      node: process.version,
    });
  });

  it('refuses a port that is taken, and names it', async () => {
    const server = await takePort(0);
    const port = portOf(server);
    const { code, stderr } = await place.kanoe(['up', '--detach', '--nodes', '0', '--port', String(port)]);
    server.close();
    expect(stderr).toContain(`port ${port} of 127.0.0.1 is taken`);
    expect(code).toBe(1);
  });

  it('runs on when what it waits for does not become ready, and says why', async () => {
    const manifest = join(place.directory, 'never.json');
    const spec = { containers: [{ name: 'main', image: 'kanoe.local/node', command: ['no-such-program'] }] };
    writeFileSync(
      manifest,
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'never' }, spec }),
    );
    const args = [
      '--wait',
      '--timeout',
      '2',
      '-f',
      manifest,
      '--kubeconfig',
      place.kubeconfig,
      '--port',
      '0',
    ];
    const { code, stderr } = await place.kanoe(['up', '--detach', ...args]);
    expect(stderr).toMatch(/not ready after 2 s:\n +pod\/never: container main waits: /);
    expect(stderr).toContain('The cluster runs on; kanoe down stops it.');
    expect(code).toBe(1);
    expect((await statusOf(place)).ready).toBe(true);
    await place.mustKanoe(['down', '--purge']);
  });

  it('takes a free port where the default one is taken', async () => {
    const server = await takePort(6443).catch(() => undefined);
    await place.mustKanoe(['up', '--detach', '--nodes', '0', '--kubeconfig', place.kubeconfig]);
    const status = await statusOf(place);
    expect(status.ready).toBe(true);
    expect(status.server).not.toMatch(/:6443$/);
    expect(await place.kubectl()('get', 'namespaces', '-o', 'name')).toContain('namespace/default');
    server?.close();
    await place.down();
  });

  it('starts a control plane alone', async () => {
    const said = await place.up(['--nodes', '0']);
    expect(said).toMatch(/is ready at https:\/\/127\.0\.0\.1:\d+ \(API \d+ ms\)/);
    expect(await place.kubectl().json('get', 'nodes')).toMatchObject({ items: [] });
    expect((await statusOf(place)).nodes).toEqual([]);
    await place.down();
  });

  it('runs the controllers of the list only, by their names and their old ones', async () => {
    const kubectl = place.kubectl();
    await place.up(['--nodes', '0', '--controllers', '*,-deployment,-scheduler']);
    await kubectl('create', 'deployment', 'web', '--image=web');
    await kubectl('create', 'job', 'once', '--image=once');
    await eventually(async () =>
      expect(await kubectl('get', 'pods', '-l', 'job-name=once', '-o', 'name')).toMatch(/^pod\/once-/),
    );
    expect(await kubectl('get', 'replicasets', '-o', 'name')).toBe('');
    await place.down();
    await place.up(['--nodes', '0', '--controllers', 'deployment-controller']);
    await eventually(async () =>
      expect(await kubectl('get', 'replicasets', '-o', 'name')).toMatch(/^replicaset/),
    );
    expect(await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).toBe('');
    await place.down();
  });
});

describe('kubeconfig', () => {
  const other = `apiVersion: v1
kind: Config
clusters:
- name: other
  cluster: { server: "https://other.example", extra: kept }
users: []
contexts:
- name: other
  context: { cluster: other, user: nobody }
current-context: other
preferences: { colors: true }
`;
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace();
  });
  afterAll(() => place.stop());

  it('is merged into the own one and taken out again by down, which keeps the rest', async () => {
    const own = join(place.directory, 'own-kubeconfig');
    writeFileSync(own, other, { mode: 0o640 });
    await place.mustKanoe(['up', '--detach', '--nodes', '0', '--port', '0']);
    const config = await readKubeconfig(own);
    const context = `kanoe-${place.name}`;
    expect(config?.['current-context']).toBe(context);
    expect(config?.contexts.map(({ name }) => name)).toEqual(['other', context]);
    expect(config?.clusters[0]).toEqual({
      name: 'other',
      cluster: { server: 'https://other.example', extra: 'kept' },
    });
    const client = createClient(createHttpsTransport(await connectionOf(await readKubeconfigs([own]))));
    expect((await client.for(nodes).list()).items).toEqual([]);
    await client.transport.close();
    await place.down();
    const { 'current-context': _, ...rest } = parseYaml(other, { file: 'other' }).value as object & {
      'current-context': string;
    };
    expect(await readKubeconfig(own)).toEqual(rest);
  });

  it('is written to one file alone, certificates inline and the context current', async () => {
    const own = join(place.directory, 'own-kubeconfig');
    const before = readFileSync(own, 'utf8');
    await place.up(['--nodes', '0']);
    const config = await readKubeconfig(place.kubeconfig);
    expect(config?.['current-context']).toBe(`kanoe-${place.name}`);
    expect(readFileSync(place.kubeconfig, 'utf8')).toMatch(/client-certificate-data: \S+/);
    expect(readFileSync(place.kubeconfig, 'utf8')).not.toMatch(/client-certificate: /);
    expect(statSync(place.kubeconfig).mode & 0o777).toBe(0o600);
    expect(readFileSync(own, 'utf8')).toBe(before);
    const { stdout } = await place.kanoe(['kubeconfig']);
    expect(parseYaml(stdout, { file: 'stdout' }).value).toEqual(config);
    await place.down();
  });
});

describe('status, list and version', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await startKanoe([
      '--nodes',
      '0',
      '--service-cidr',
      '10.77.0.0/20',
      '--pod-cidr',
      '10.78.0.0/18',
    ]);
  });
  afterAll(() => place.stop());

  it('say what runs, in words, JSON and YAML', async () => {
    const status = await statusOf(place);
    expect(status).toMatchObject({
      state: 'running',
      ready: true,
      podCidr: '10.78.0.0/18',
      serviceCidr: '10.77.0.0/20',
      pid: place.record().process?.pid,
    });
    const yaml = await place.kanoe(['status', '-o', 'yaml']);
    expect(parseYaml(yaml.stdout, { file: 'status' }).value).toEqual(status);
    expect((await place.kanoe(['status'])).stdout).toMatch(/^State: +running$/m);
    expect(await place.kubectl()('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}')).toBe(
      '10.77.0.1',
    );
  });

  it('refuse a second up, and a second cluster in the same data directory, and say who runs', async () => {
    const pid = String(place.record().process?.pid);
    const again = await place.kanoe(['up', '--detach', '--nodes', '0', '--port', '0']);
    expect(again.stderr).toContain(`already running (process ${pid}`);
    expect(again.code).toBe(1);
    const stranger = await makeWorkplace();
    const options = ['--nodes', '0', '--port', '0', '--data-dir', place.record().dataDirectory];
    const held = await stranger.kanoe(['up', '--detach', ...options]);
    expect(held.stderr).toMatch(new RegExp(`held by process ${pid}`));
    expect(held.code).toBe(1);
    expect((await stranger.kanoe(['status'])).stderr).toContain(`there is no cluster named ${stranger.name}`);
    expect((await statusOf(place)).ready).toBe(true);
    await stranger.stop();
  });

  it('refuse to change the ranges of a cluster', async () => {
    await place.down();
    const { stderr, code } = await place.kanoe(['up', '--port', '0', '--service-cidr', '10.79.0.0/16']);
    expect(stderr).toContain('--service-cidr cannot change');
    expect(code).toBe(1);
  });

  it('say what is stopped, with exit code 3, and what does not exist, with 1', async () => {
    const stopped = await place.kanoe(['status', '-o', 'json']);
    expect(JSON.parse(stopped.stdout)).toMatchObject({ state: 'stopped', ready: false });
    expect(stopped.stderr).toBe('');
    expect(stopped.code).toBe(3);
    const nobody = await makeWorkplace();
    for (const command of ['status', 'down', 'kubeconfig']) {
      const outcome = await nobody.kanoe([command]);
      expect(outcome.stderr).toContain(`there is no cluster named ${nobody.name}`);
      expect(outcome.code).toBe(1);
    }
    await nobody.stop();
  });
});

describeWith({ root: true, kubectl: true, tools: ['nft'] }, 'a cluster that comes and goes', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace();
  });
  afterAll(() => place.stop());

  it('tells start times that agree with a stopwatch outside', async () => {
    const began = performance.now();
    const up = place.spawnKanoe('up', '--port', '0', '--kubeconfig', place.kubeconfig);
    const since = (): number => performance.now() - began;
    const poll = <T>(attempt: () => Promise<T>): Promise<T> => eventually(attempt, 20_000);
    const connection = await poll(async () => connectionOf(await readKubeconfigs([place.kubeconfig])));
    const client = createClient(createHttpsTransport(connection));
    await poll(() => client.for(nodes).list());
    const apiReadyMs = since();
    await poll(async () => {
      const [node] = (await client.for(nodes).list()).items;
      expect(node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    });
    const nodeReadyMs = since();
    const resolver = new Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([place.record() && (await dnsAddress(place))]);
    await poll(() => resolver.resolve4('kubernetes.default.svc.cluster.local'));
    const dnsReadyMs = since();
    await client.transport.close();
    await up.printed(/is ready at/);
    const { startup } = await statusOf(place);
    // What is told comes before what polls find; on a busy machine they find it late.
    expect(startup.apiReadyMs).toBeLessThan(apiReadyMs + 150);
    expect(startup.apiReadyMs).toBeGreaterThan(0.4 * apiReadyMs);
    expect(startup.nodeReadyMs).toBeLessThan(nodeReadyMs + 150);
    expect(startup.nodeReadyMs).toBeGreaterThan(0.4 * nodeReadyMs);
    expect(startup.dnsReadyMs).toBeLessThan(dnsReadyMs + 150);
    up.process.kill('SIGINT');
    expect([0, 130]).toContain(await up.ended);
    expect(place.traces()).toEqual([]);
    expect((await place.kanoe(['status'])).code).toBe(3);
  });

  it('ends in order when it is interrupted while it starts', async () => {
    for (const line of [/starting cluster/, /API ready/]) {
      const up = place.spawnKanoe('up', '--port', '0', '--kubeconfig', place.kubeconfig);
      await up.printed(line);
      up.process.kill('SIGINT');
      expect([0, 130]).toContain(await up.ended);
      expect(place.traces()).toEqual([]);
    }
  });

  it('leaves nothing when it is interrupted with busy containers, and runs them again from its data', async () => {
    const kubectl = place.kubectl();
    const up = place.spawnKanoe('up', '--port', '0', '--kubeconfig', place.kubeconfig);
    await up.printed(/is ready at/);
    await kubectl.apply([...answering('first', 2), stubborn]);
    await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    up.process.kill('SIGINT');
    expect([0, 130]).toContain(await up.ended);
    expect(place.traces()).toEqual([]);

    await place.up();
    await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
    const url = `http://127.0.0.1:${await nodePortOf(place)}`;
    await eventually(async () => expect(await answerOf(url)).toMatch(/^first /));
  });

  it('is gone after down, also after its process was killed, twice', async () => {
    const kubectl = place.kubectl();
    const busy = kubectl.start(
      'exec',
      'stubborn',
      '--',
      'node',
      '-e',
      'setInterval(() => console.log(1), 10)',
    );
    await busy.printed(/1/);
    for (let round = 0; round < 2; round += 1) {
      process.kill(Number(place.record().process?.pid), 'SIGKILL');
      await eventually(async () => expect((await statusOf(place)).state).toBe('stopped'));
      expect(place.traces().length).toBeGreaterThan(0);
      await place.down();
      await place.mustKanoe(['down']);
      await place.up();
      await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    }
    await busy.stop();
    await place.down();
  });

  it('keeps its data until it is purged', async () => {
    const { dataDirectory } = place.record();
    await place.mustKanoe(['down']);
    expect(existsSync(join(dataDirectory, 'store'))).toBe(true);
    const said = await place.mustKanoe(['down', '--purge']);
    expect(said).toContain('its data is deleted');
    expect(existsSync(dataDirectory)).toBe(false);
    expect((await place.kanoe(['status'])).code).toBe(1);
  });
});

const stubborn = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'stubborn' },
  spec: {
    terminationGracePeriodSeconds: 3600,
    containers: [
      {
        name: 'main',
        image: 'kanoe.local/node',
        command: [
          'node',
          '-e',
          "process.on('SIGTERM', () => {}); require('child_process').spawn(process.execPath, ['-e', 'for (;;);'], { detached: true }); setInterval(() => {}, 1000)",
        ],
        resources: { limits: { cpu: '100m' } },
      },
    ],
  },
};

async function dnsAddress(place: Workplace): Promise<string> {
  const { serviceCidr } = await statusOf(place);
  return serviceCidr.replace(/\.0\/\d+$/, '.10');
}

describeWith({ root: true, kubectl: true, tools: ['nft'] }, 'two clusters side by side', () => {
  let one: Workplace;
  let two: Workplace;
  beforeAll(async () => {
    one = await makeWorkplace();
    two = await makeWorkplace({ home: join(one.directory, 'home') });
  });
  afterAll(async () => {
    await two.stop();
    await one.stop();
  });

  it('start at the same time with ranges of their own, and show in one list', async () => {
    await Promise.all([one.up(['--nodes', '3']), two.up()]);
    const [first, second] = await Promise.all([statusOf(one), statusOf(two)]);
    expect(first.nodes?.map(({ ready }) => ready)).toEqual([true, true, true]);
    expect(first.podCidr).not.toBe(second.podCidr);
    expect(first.serviceCidr).not.toBe(second.serviceCidr);
    const { stdout } = await run(process.execPath, [kanoeProgram, 'list', '-o', 'json'], { env: one.env });
    const { clusters } = JSON.parse(stdout) as { clusters: { name: string; state: string }[] };
    expect(clusters.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(
      [`${one.name} running`, `${two.name} running`].sort(),
    );
  });

  it('run the same manifest, each answering at its own port', async () => {
    await Promise.all([one.kubectl().apply(answering('one', 3)), two.kubectl().apply(answering('two'))]);
    for (const place of [one, two])
      await place.kubectl()('rollout', 'status', 'deployment/echo', '--timeout=60s');
    const [first, second] = [await nodePortOf(one), await nodePortOf(two)];
    await eventually(async () => expect(await answerOf(`http://127.0.0.1:${first}`)).toMatch(/^one /));
    await eventually(async () => expect(await answerOf(`http://127.0.0.1:${second}`)).toMatch(/^two /));
  });

  it('do not mind the other one going down', async () => {
    const port = await nodePortOf(two);
    await one.down();
    expect(await answerOf(`http://127.0.0.1:${port}`)).toMatch(/^two /);
    expect(await two.kubectl()('exec', 'deployment/echo', '--', 'node', '-p', '6 * 7')).toBe('42\n');
    await two.kubectl()('rollout', 'restart', 'deployment/echo');
    await two.kubectl()('rollout', 'status', 'deployment/echo', '--timeout=60s');
    await eventually(async () => expect(await answerOf(`http://127.0.0.1:${port}`)).toMatch(/^two /));
  });
});

describeWith({ root: true, kubectl: true }, 'under sudo', () => {
  it('belongs to the caller: home, kubeconfig and the way in', async () => {
    const place = await makeWorkplace();
    const [uid, gid] = [4711, 4712];
    const home = join(place.directory, 'person');
    mkdirSync(home);
    chownSync(home, uid, gid);
    const { KANOE_HOME: _home, KUBECONFIG: _kubeconfig, ...rest } = place.env;
    const env = { ...rest, HOME: home, SUDO_UID: String(uid), SUDO_GID: String(gid) };
    await place.mustKanoe(['up', '--detach', '--nodes', '0', '--port', '0'], { env });
    for (const path of ['.kube', '.kube/config', '.kanoe', '.kanoe/clusters', '.kanoe/data', '.kanoe/logs']) {
      const { uid: owner, gid: group } = statSync(join(home, path));
      expect([path, owner, group]).toEqual([path, uid, gid]);
    }
    await place.mustKanoe(['down', '--purge'], { env });
    expect(statSync(join(home, '.kube/config')).uid).toBe(uid);
    await place.stop();
  });
});
