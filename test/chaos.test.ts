import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pod } from '../src/api/core/v1.gen.ts';
import { mulberry32 } from '../src/reconcile/faulty-transport.ts';
import { mainProcess, processesIn } from './support/container-processes.ts';
import { eventually } from './support/eventually.ts';
import { makeWorkplace, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

/** How long faults go on: ten minutes when somebody looks closely. */
const seconds = Number(process.env['KANOE_CHAOS_SECONDS'] ?? 40);
const seed = Number(process.env['KANOE_CHAOS_SEED'] ?? 1);

/** Keeps what it is sent: an answer means that it is on the disk. */
const store = `
const fs = require('fs');
const file = fs.openSync('/data/log', 'a+');
const kept = new Set(fs.readFileSync('/data/log', 'utf8').split('\\n').filter((line) => line.endsWith('.')));
let waiting = [];
const flush = () => {
  const now = waiting;
  waiting = [];
  fs.writeSync(file, now.map(({ key }) => '\\n' + key).join('') + '\\n');
  fs.fsyncSync(file);
  for (const { key, response } of now) { kept.add(key); response.end('kept'); }
};
require('http').createServer((request, response) => {
  if (request.method === 'POST') {
    waiting.push({ key: request.url.slice(1), response });
    if (waiting.length === 1) setImmediate(flush);
  } else response.end([...kept].join('\\n'));
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

const web = `
require('http').createServer((request, response) => response.end('ok')).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

const container = (program: string, more: object = {}): object => ({
  name: 'main',
  image: 'kanoe.local/node',
  command: ['node', '-e', program],
  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  ...more,
});

const service = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
});

const workloads = [
  service('store'),
  service('web'),
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'store' },
    spec: {
      serviceName: 'store',
      selector: { matchLabels: { app: 'store' } },
      template: {
        metadata: { labels: { app: 'store' } },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [container(store, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100Mi' } } },
        },
      ],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { terminationGracePeriodSeconds: 5, containers: [container(web)] },
      },
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'everywhere' },
    spec: {
      selector: { matchLabels: { app: 'everywhere' } },
      template: {
        metadata: { labels: { app: 'everywhere' } },
        spec: { terminationGracePeriodSeconds: 5, containers: [container(web)] },
      },
    },
  },
];

/** Answers the status of a request; 0 when there was no answer. */
function send(host: string, method: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const nothing = { status: 0, text: '' };
    const call = request({ host, method, path, agent: false, timeout: 3000 }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => (text += part.toString()));
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.once('error', () => resolve(nothing));
    });
    call.once('error', () => resolve(nothing)).once('timeout', () => call.destroy());
    call.end();
  });
}

describeWith({ root: true, kubectl: true }, `faults at random for ${seconds} s`, () => {
  let place: Workplace;
  let kubectl: Kubectl;
  let settings: readonly string[];
  beforeAll(async () => {
    place = await makeWorkplace();
    const file = join(place.directory, 'kubelet.yaml');
    writeFileSync(
      file,
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncrashLoopBackOff: {maxContainerRestartPeriod: 1s}\n',
    );
    settings = ['--kubelet-config', file];
    await place.up(settings);
    kubectl = place.kubectl();
    await kubectl.apply(workloads);
    await allReady(90_000);
  });
  afterAll(() => place?.stop());

  async function allReady(ms: number): Promise<void> {
    await eventually(async () => {
      const { items } = await kubectl.json<{ items: readonly Pod[] }>('get', 'pods');
      const ready = items.filter(
        ({ status, metadata }) =>
          metadata.deletionTimestamp === undefined &&
          status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      );
      expect([items.length, ready.length]).toEqual([6, 6]);
    }, ms);
  }

  async function pods(): Promise<readonly Pod[]> {
    return (await kubectl.json<{ items: readonly Pod[] }>('get', 'pods')).items;
  }

  it(
    'lose no acknowledged write, heal within 10 s, and leave nothing behind',
    { timeout: (seconds + 240) * 1000 },
    async () => {
      const random = mulberry32(seed);
      const oneOf = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
      const address = await kubectl('get', 'service', 'store', '-o', 'jsonpath={.spec.clusterIP}');
      const kanoe = (): number => Number(place.record().process?.pid);
      const hurt: Readonly<Record<string, () => Promise<void>>> = {
        async container() {
          const ids = (await pods()).flatMap(({ status }) =>
            (status?.containerStatuses ?? []).flatMap(({ state, containerID = '' }) =>
              state?.running ? [containerID] : [],
            ),
          );
          const victim = oneOf(ids);
          if (victim) process.kill(mainProcess(victim), 'SIGKILL');
        },
        async 'what watches over a container'() {
          const ids = (await pods()).flatMap(
            ({ status }) => status?.containerStatuses?.[0]?.containerID ?? [],
          );
          const victim = oneOf(ids)?.replace(/^[^:]*:\/\//, '') ?? '';
          const main = mainProcess(victim);
          const keeper = parentOf(main);
          if (keeper > 1 && keeper !== kanoe()) process.kill(keeper, 'SIGKILL');
        },
        async 'every process of a pod'() {
          const victim = oneOf(await pods());
          for (const pid of processesIn(victim?.metadata.uid ?? 'no pod')) process.kill(pid, 'SIGKILL');
        },
        async pod() {
          const victim = oneOf(await pods());
          await kubectl('delete', 'pod', victim?.metadata.name ?? '', '--wait=false', '--grace-period=1');
        },
        async 'the API with the node agent'() {
          process.kill(kanoe(), 'SIGKILL');
          await delay(random() * 500);
          await place.up(settings);
        },
      };

      const acknowledged: string[] = [];
      const over = new AbortController();
      let tried = 0;
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        while (!over.signal.aborted) {
          const key = `${writer}-${tried++}.`;
          if ((await send(address, 'POST', `/${key}`)).text === 'kept') acknowledged.push(key);
          await delay(5);
        }
      });
      const counts = new Map<string, number>();
      const end = performance.now() + seconds * 1000;
      while (performance.now() < end) {
        const [name, act] = oneOf(Object.entries(hurt)) ?? [];
        if (!name || !act) break;
        // The victim of a fault may have ended meanwhile.
        await act().then(
          () => counts.set(name, (counts.get(name) ?? 0) + 1),
          () => undefined,
        );
        await delay(500 + random() * 2000);
      }
      await allReady(10_000);
      over.abort();
      await Promise.all(writers);
      const kept = new Set((await send(address, 'GET', '/')).text.split('\n'));
      expect(acknowledged.filter((key) => !kept.has(key))).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(50);
      expect(Math.min(...Object.keys(hurt).map((name) => counts.get(name) ?? 0))).toBeGreaterThan(0);
      await kubectl(
        'delete',
        'deployment,statefulset,daemonset,service,pvc',
        '--all',
        '--ignore-not-found',
        '--wait',
      );
      await eventually(async () => expect(await pods()).toEqual([]), 60_000);
      await place.down();
    },
  );
});

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}
