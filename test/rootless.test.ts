import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { pod, shell } from './support/pods.ts';

const program = `require('http').createServer((q, s) => s.end(require('os').hostname())).listen(8080)`;

/** Processes whose environment says that they belong inside the workplace's namespaces. */
function processesOf(directory: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(directory) && Number(pid) !== process.pid;
    } catch {
      return false;
    }
  });
}

describeWith(
  { root: true, kubectl: true, tools: ['nft', 'crun', 'setpriv'] },
  'a cluster of somebody who is not root',
  () => {
    let cluster: Workplace;
    let kubectl: Kubectl;

    beforeAll(async () => {
      cluster = await startKanoe(['--runtime', 'native'], { unprivileged: true });
      kubectl = cluster.kubectl();
    });
    afterAll(() => cluster?.stop());

    it('runs containers in namespaces of its own', async () => {
      expect(
        await kubectl(
          'get',
          'node',
          cluster.name,
          '-o',
          'jsonpath={.status.nodeInfo.containerRuntimeVersion}',
        ),
      ).toContain('native://');
      await kubectl.apply([
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
                terminationGracePeriodSeconds: 1,
                containers: [
                  {
                    name: 'echo',
                    image: 'kanoe.local/node',
                    command: ['node', '-e', program],
                    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
                  },
                ],
              },
            },
          },
        },
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'echo' },
          spec: { type: 'NodePort', selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8080 }] },
        },
      ]);
      await kubectl('rollout', 'status', 'deployment/echo', '--timeout=90s');
      const pod = (await kubectl('get', 'pods', '-o', 'name')).split('\n')[0] ?? '';
      expect(await kubectl('exec', pod, '--', 'node', '-p', 'process.getuid()')).toBe('0\n');
      const through = await kubectl(
        'exec',
        pod,
        '--',
        'node',
        '-e',
        "fetch('http://echo/').then((r) => r.text()).then(console.log)",
      );
      expect(through).toMatch(/^echo-/);
    });

    it('reaches services from the machine', async () => {
      const port = await kubectl('get', 'service', 'echo', '-o', 'jsonpath={.spec.ports[0].nodePort}');
      await eventually(async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(3000) });
        expect(await answer.text()).toMatch(/^echo-/);
      });
    });

    it('says what that costs', async () => {
      const status = await cluster.mustKanoe(['status']);
      expect(status).toContain('rootless: containers have the one user root, which is you');
      expect(status).toContain('rootless: requests and limits are not enforced');
    });

    it('ends with its process, whatever becomes of that', async () => {
      const inside = join(cluster.directory, 'home');
      process.kill(cluster.record().process?.pid ?? 0, 'SIGKILL');
      await eventually(() => expect(processesOf(inside)).toEqual([]));
      await cluster.up(['--runtime', 'native']);
      await kubectl('rollout', 'status', 'deployment/echo', '--timeout=90s');
      await cluster.down();
      await eventually(() => expect(processesOf(inside)).toEqual([]));
      expect(existsSync(cluster.record().dataDirectory)).toBe(true);
    });
  },
);

/** Gives users and groups to the user that the cluster runs as, and the device of tunnels; gives back how to undo it. */
function setUpMachine(): () => void {
  const files = ['/etc/subuid', '/etc/subgid'].map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  const { mode } = statSync('/dev/net/tun');
  for (const { path } of files) appendFileSync(path, 'nobody:1342177280:65536\n');
  chmodSync('/dev/net/tun', 0o666);
  return () => {
    for (const { path, text } of files) writeFileSync(path, text);
    chmodSync('/dev/net/tun', mode);
  };
}

describeWith(
  {
    root: true,
    kubectl: true,
    tools: ['nft', 'crun', 'setpriv', 'newuidmap', 'slirp4netns'],
    images: ['busybox'],
  },
  'a cluster of somebody with users of their own and a way out',
  () => {
    let cluster: Workplace;
    let kubectl: Kubectl;
    let server: Server;
    let restore = (): void => {};
    const address = Object.values(networkInterfaces())
      .flatMap((found) => found ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

    beforeAll(async () => {
      restore = setUpMachine();
      server = createServer((_request, response) => response.end('from outside\n'));
      await new Promise<void>((resolve) => server.listen(0, address, resolve));
      cluster = await startKanoe(['--runtime', 'native', '--load', imageArchive('busybox')], {
        unprivileged: true,
      });
      kubectl = cluster.kubectl();
    });
    afterAll(async () => {
      server?.close();
      await cluster?.stop();
      restore();
    });

    it('gives containers the users and groups that they ask for', async () => {
      await kubectl.apply([
        pod('users', {
          securityContext: { fsGroup: 2000 },
          volumes: [{ name: 'v', emptyDir: {} }],
          containers: [
            shell(
              'id -u; id -G; touch /v/mine; stat -c "%u:%g" /v/mine; chown 7:8 /v/mine || echo refused; sleep 1000',
              {
                securityContext: { runAsUser: 1000, runAsGroup: 3000 },
                volumeMounts: [{ name: 'v', mountPath: '/v' }],
              },
            ),
          ],
        }),
      ]);
      await eventually(async () => expect(await kubectl('logs', 'users')).toContain('refused'));
      const lines = (await kubectl('logs', 'users')).split('\n');
      expect(lines.slice(0, 3)).toEqual(['1000', '3000 2000', '1000:2000']);
      expect(await cluster.mustKanoe(['status'])).toContain('rootless: containers have 65536 users');
    });

    it('reaches what is outside the cluster, by slirp4netns', async () => {
      const { port } = server.address() as { readonly port: number };
      const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 10 ${address} ${port} | tail -1`;
      expect(await kubectl('exec', 'users', '--', 'sh', '-c', ask)).toBe('from outside\n');
      expect(await cluster.mustKanoe(['status'])).toContain('rootless: slirp4netns carries');
    });
  },
);
