import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

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
