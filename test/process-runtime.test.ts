import type { Server } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { makeImage, writeArchive } from './support/image-archive.ts';
import { serveImage } from './support/image-server.ts';
import { makeWorkplace } from './support/kanoe.ts';
import type { Workplace, WorkplaceOptions } from './support/kanoe.ts';
import { unmetNeed } from './support/needs.ts';

const program = `
  const { createServer } = require('http');
  const { readFileSync } = require('fs');
  console.log('started as', process.env.ROLE);
  console.error('config', readFileSync(process.env.CONFIG, 'utf8'));
  createServer((q, s) => s.end('hello from ' + process.env.HOSTNAME)).listen(8091);
`;

/** Two pods that listen on the same port, with a volume and variables. */
const echo: readonly object[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'echo' }, data: { config: 'from a volume' } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'echo' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'echo' } },
      template: {
        metadata: { labels: { app: 'echo' } },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [
            {
              name: 'main',
              image: 'kanoe.local/node:20',
              command: ['node', '-e', program],
              env: [
                { name: 'ROLE', value: 'server' },
                { name: 'CONFIG', value: '/etc/echo/config' },
              ],
              readinessProbe: { httpGet: { port: 8091, path: '/' }, periodSeconds: 1 },
              volumeMounts: [{ name: 'config', mountPath: '/etc/echo' }],
            },
          ],
          volumes: [{ name: 'config', configMap: { name: 'echo' } }],
        },
      },
    },
  },
];

const reason = unmetNeed({ root: true, kubectl: true, tools: ['setpriv'] });

describe
  .skipIf(reason !== undefined)
  .each<[string, { args: readonly string[]; options: WorkplaceOptions; notes: RegExp }]>([
    [
      'a user without rights',
      {
        args: ['--runtime', 'process'],
        options: { unprivileged: true },
        notes: /containers end when the node agent ends/,
      },
    ],
    [
      'root who asks for it',
      { args: ['--runtime', 'process'], options: {}, notes: /containers end when the node agent ends/ },
    ],
  ])('the process runtime for %s', (_, { args, options, notes }) => {
  let place: Workplace;
  let registry: Server | undefined;
  let said: string;
  beforeAll(async () => {
    place = await makeWorkplace(options);
    said = await place.up(args);
  });
  afterAll(async () => {
    registry?.close();
    await place.stop();
  });

  it('says what is missing', async () => {
    expect(said).toMatch(/Note: .*nothing isolates them/);
    expect(said).toMatch(/Note: .*services and DNS are not there/);
    expect(said).toMatch(notes);
    const { stdout } = await place.kanoe(['status', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ ready: true, runtime: 'process' });
  });

  it('runs pods that listen on the same port, with logs, exec and port-forward', async () => {
    const kubectl = place.kubectl();
    await kubectl.apply(echo);
    await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
    const names = (await kubectl('get', 'pods', '-l', 'app=echo', '-o', 'name')).trim().split('\n');
    expect(names).toHaveLength(2);
    for (const name of names) {
      const log = await kubectl('logs', name);
      expect(log).toContain('started as server\n');
      expect(log).toContain('config from a volume\n');
      expect(await kubectl('exec', name, '--', 'node', '-p', 'process.env.ROLE')).toBe('server\n');
      const port = kubectl.start('port-forward', name, ':8091');
      const [, local] = await port.printed(/127\.0\.0\.1:(\d+) -> 8091/);
      const answer = await fetch(`http://127.0.0.1:${local}`);
      expect(await answer.text()).toBe(`hello from ${name.replace('pod/', '')}`);
      await port.stop();
    }
    const failing = await kubectl.try(['exec', 'deployment/echo', '--', 'node', '-e', 'process.exit(7)']);
    expect(failing.code).toBe(7);
  });

  it('refuses images made for another system, and says which', async () => {
    const kubectl = place.kubectl();
    const image = makeImage(place.directory, { os: 'windows', architecture: 'arm64' });
    const port = await freePort();
    registry = await serveImage(image, port);
    const name = `127.0.0.1:${port}/other:1`;
    await kubectl.apply([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'other' },
        spec: { containers: [{ name: 'main', image: name, command: ['cmd'] }] },
      },
    ]);
    await eventually(async () =>
      expect(
        await kubectl('get', 'events', '-o', 'jsonpath={range .items[*]}{.message}{"\\n"}{end}'),
      ).toMatch(/Failed to pull image .*windows\/arm64/),
    );
    const archive = join(place.directory, 'other.tar');
    writeArchive(archive, 'example.test/other:1', image);
    const loaded = await place.kanoe(['load', archive]);
    expect(loaded.stderr).toMatch(/windows\/arm64/);
    expect(loaded.code).toBe(1);
    await kubectl('delete', 'pod', 'other');
  });

  it('ends its processes when it goes down, also after it was killed', async () => {
    process.kill(Number(place.record().process?.pid), 'SIGKILL');
    await eventually(async () => expect((await place.kanoe(['status'])).code).toBe(3));
    await place.up(args);
    await place.kubectl()('rollout', 'status', 'deployment/echo', '--timeout=60s');
    process.kill(Number(place.record().process?.pid), 'SIGKILL');
    await eventually(async () => expect((await place.kanoe(['status'])).code).toBe(3));
    await place.down();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return typeof address === 'object' && address ? address.port : 0;
}
