import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../src/api/core/v1.gen.ts';
import {
  startContainerd,
  whyNoContainerd,
  type TestContainerd,
} from '../src/node/runtimes/cri/testing/containerd.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { unmetNeed } from './support/needs.ts';

const reason = (await whyNoContainerd()) ?? unmetNeed({ root: true, kubectl: true });

const server = `require('node:http').createServer((question, answer) => answer.end(question.socket.remoteAddress.replace('::ffff:', ''))).listen(8080)
process.on('SIGTERM', () => process.exit())`;

function pod(name: string, container: object, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      ...spec,
      containers: [{ name: 'main', image: 'kanoe.local/node', ...container }],
    },
  };
}

const manifests = [
  pod('web', {
    command: ['node', '-e', server],
    ports: [{ containerPort: 8080, hostPort: 38_431 }],
    readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
  }),
  pod('client', { command: ['node', '-e', 'let n = 0; setInterval(() => console.log(n++), 50)'] }),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'greeter' },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
];

describe.skipIf(reason !== undefined)(`a cluster on containerd${reason ? ` (${reason})` : ''}`, () => {
  let folder: string;
  let containerd: TestContainerd;
  let cluster: Workplace;
  let kubectl: Kubectl;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kanoe-cri-'));
    containerd = await startContainerd({ folder });
    cluster = await startKanoe(['--container-runtime-endpoint', containerd.endpoint]);
    kubectl = cluster.kubectl();
    await kubectl.apply(manifests);
    await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
  }, 180_000);

  afterAll(async () => {
    await cluster?.stop();
    await containerd?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const fetched = (url: string): Promise<string> => fetch(url).then((answer) => answer.text());
  const fetchedIn = (name: string, url: string): Promise<string> =>
    kubectl(
      'exec',
      name,
      '--',
      'node',
      '-e',
      `fetch('${url}').then((a) => a.text()).then((t) => console.log(t))`,
    );
  const statusOf = async (name: string): Promise<Pod['status']> =>
    (await kubectl.json<Pod>('get', 'pod', name)).status;

  it('says which runtime it is', async () => {
    const version = await kubectl(
      'get',
      'nodes',
      '-o=jsonpath={.items[0].status.nodeInfo.containerRuntimeVersion}',
    );
    expect(version).toMatch(/^containerd:\/\//);
  });

  it('serves pods to pods by name, and their addresses are their own', async () => {
    const { podIP } = (await statusOf('client')) ?? {};
    expect(await fetchedIn('client', 'http://greeter')).toBe(`${podIP}\n`);
  });

  it('lets a pod reach itself through its service', async () => {
    expect(await fetchedIn('web', 'http://greeter')).toMatch(/^[\d.]+\n$/);
  });

  it('serves pods on ports of the machine', async () => {
    const port = await kubectl('get', 'service', 'greeter', '-o=jsonpath={.spec.ports[0].nodePort}');
    const clusterIP = await kubectl('get', 'service', 'greeter', '-o=jsonpath={.spec.clusterIP}');
    for (const host of [`127.0.0.1:${port}`, '127.0.0.1:38431', clusterIP])
      expect(await fetched(`http://${host}`)).toMatch(/^[\d.]+$/);
  });

  it('keeps pods apart that a policy keeps apart', async () => {
    const spec = { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] };
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'p' },
      spec,
    };
    await kubectl.apply([policy]);
    await eventually(async () => {
      const { code } = await kubectl.try([
        'exec',
        'client',
        '--',
        'node',
        '-e',
        "fetch('http://greeter', { signal: AbortSignal.timeout(700) }).catch(() => process.exit(3))",
      ]);
      expect(code).toBe(3);
    });
    await kubectl('delete', 'networkpolicy', 'p');
    await eventually(async () => expect(await fetchedIn('client', 'http://greeter')).toMatch(/^[\d.]+\n$/));
  });

  it('keeps the containers of a process that was killed', async () => {
    const before = (await statusOf('client'))?.containerStatuses?.[0];
    process.kill(Number(cluster.record().process?.pid), 'SIGKILL');
    await eventually(async () => expect((await cluster.kanoe(['status'])).code).toBe(3));
    await cluster.up(['--container-runtime-endpoint', containerd.endpoint]);
    await eventually(async () => {
      const after = (await statusOf('client'))?.containerStatuses?.[0];
      expect(after).toMatchObject({ containerID: before?.containerID, restartCount: 0, ready: true });
    });
    const numbers = (await kubectl('logs', 'client')).trim().split('\n').map(Number);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(await fetchedIn('client', 'http://greeter')).toMatch(/^[\d.]+\n$/);
  });

  it('restarts what ends, and tells how it ended', async () => {
    await kubectl.apply([pod('failing', { command: ['node', '-e', 'process.exit(7)'] })]);
    await eventually(async () => {
      const [status] = (await statusOf('failing'))?.containerStatuses ?? [];
      expect(status?.lastState?.terminated ?? status?.state?.terminated).toMatchObject({
        exitCode: 7,
        reason: 'Error',
      });
      expect(status?.restartCount).toBeGreaterThan(0);
    });
  });

  it('refuses a second node', async () => {
    const { code, stderr } = await cluster.kanoe(['node', 'add']);
    expect(code).toBe(1);
    expect(stderr).toContain('is one node');
  });

  it('leaves nothing with the runtime when it goes down', async () => {
    await cluster.down();
    expect(containerd.ctr('containers', 'list', '-q')).toBe('');
    expect(readdirSync(join(folder, 'cni'))).toEqual([]);
  });
});
