import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { askFromPod, echoDaemons, echoService, podOn, type Echo } from './support/echo.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

async function ask(url: string): Promise<Echo> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(3000) });
  return (await response.json()) as Echo;
}

async function nodesAnswering(url: string): Promise<readonly string[]> {
  const names = new Set<string>();
  for (let round = 0; round < 9; round += 1) names.add((await ask(url)).node);
  return [...names].sort();
}

const ipProgram: string = '/sbin/ip';

describeWith({ root: true, kubectl: true, tools: ['nft', 'nsenter'] }, 'several nodes on one machine', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  let names: readonly [string, string, string];

  beforeAll(async () => {
    cluster = await startKanoe([
      '--nodes',
      '3',
      '--node-monitor-grace-period',
      '4s',
      '--default-unreachable-toleration-seconds',
      '1',
    ]);
    kubectl = cluster.kubectl();
    names = [cluster.name, `${cluster.name}-2`, `${cluster.name}-3`];
    await kubectl.apply([
      echoDaemons('echo', {}, { ports: [{ containerPort: 8080, hostPort: 18_080 }] }),
      echoDaemons('on-host', { hostNetwork: true }),
      echoService('echo', { type: 'NodePort' }),
      echoService('local', {
        type: 'NodePort',
        externalTrafficPolicy: 'Local',
        internalTrafficPolicy: 'Local',
      }),
    ]);
    await kubectl('rollout', 'status', 'daemonset/echo', '--timeout=60s');
    await kubectl('rollout', 'status', 'daemonset/on-host', '--timeout=60s');
  });
  afterAll(() => cluster?.stop());

  const get = (...args: readonly string[]): Promise<string> => kubectl('get', ...args);
  const addressOf = (node: string): Promise<string> =>
    get('node', node, '-o', 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}');
  const portOf = (name: string): Promise<string> =>
    get('service', name, '-o', 'jsonpath={.spec.ports[0].nodePort}');
  it('gives each node a namespace, an address and pod addresses of its own', async () => {
    const { id } = cluster.record();
    const listed = execFileSync(ipProgram, ['netns', 'list'], { encoding: 'utf8' });
    for (const number of [1, 2, 3]) expect(listed).toContain(`kanoe-${id}-${number}`);
    const addresses = await Promise.all(names.map(addressOf));
    expect(new Set(addresses).size).toBe(3);
    const ranges = await get('nodes', '-o', 'jsonpath={.items[*].spec.podCIDR}');
    expect(new Set(ranges.split(' ')).size).toBe(3);
    const routes = execFileSync(ipProgram, ['netns', 'exec', `kanoe-${id}-1`, 'ip', 'route'], {
      encoding: 'utf8',
    });
    expect(routes).toContain(`via ${addresses[1]} dev eth0`);
  });

  it('serves host ports and host networks on each node alone', async () => {
    for (const node of names) {
      const address = await addressOf(node);
      expect((await ask(`http://${address}:18080/`)).node).toBe(node);
      expect((await ask(`http://${address}:8080/`)).name).toBe(await podOn(kubectl, node, 'on-host'));
    }
  });

  it('carries pods to pods of other nodes and keeps their addresses', async () => {
    const [from, to] = await Promise.all([
      podOn(kubectl, names[0], 'echo'),
      podOn(kubectl, names[1], 'echo'),
    ]);
    const address = await get('pod', to, '-o', 'jsonpath={.status.podIP}');
    const own = await get('pod', from, '-o', 'jsonpath={.status.podIP}');
    expect(await askFromPod(kubectl, from, `http://${address}:8080/`)).toEqual({
      name: to,
      node: names[1],
      client: own,
    });
  });

  it('serves node ports on every node, all endpoints or its own', async () => {
    const [port, local, address] = await Promise.all([portOf('echo'), portOf('local'), addressOf(names[1])]);
    expect(await nodesAnswering(`http://${address}:${port}/`)).toEqual(names);
    expect(await nodesAnswering(`http://127.0.0.1:${port}/`)).toEqual(names);
    expect(await nodesAnswering(`http://${address}:${local}/`)).toEqual([names[1]]);
    expect(await nodesAnswering(`http://${await addressOf(names[0])}:${local}/`)).toEqual([names[0]]);
  });

  it('keeps pods to the endpoints of their node when traffic is to stay local', async () => {
    const pod = await podOn(kubectl, names[2], 'echo');
    for (let round = 0; round < 3; round += 1)
      expect((await askFromPod(kubectl, pod, 'http://local/')).node).toBe(names[2]);
    expect(
      (
        await askFromPod(
          kubectl,
          await podOn(kubectl, names[2], 'on-host'),
          `http://127.0.0.1:${await portOf('echo')}/`,
        )
      ).name,
    ).toBeTruthy();
  });

  it('serves the kubelet at the address of the node', async () => {
    const address = await addressOf(names[1]);
    expect(await kubectl('logs', await podOn(kubectl, names[1], 'echo'), '--tail=1')).toBe('');
    const probe = `const s = require('tls').connect({ host: '${address}', port: 10250, rejectUnauthorized: false }, () => { console.log(s.getPeerCertificate().subject.CN); s.end(); })`;
    const name = await kubectl('exec', await podOn(kubectl, names[0], 'echo'), '--', 'node', '-e', probe);
    expect(name.trim()).toBe(`system:node:${names[1]}`);
  });

  it('takes over the pods of all nodes after its process was killed', async () => {
    process.kill(cluster.record().process?.pid ?? 0, 'SIGKILL');
    await cluster.up(['--node-monitor-grace-period', '4s', '--default-unreachable-toleration-seconds', '1']);
    await kubectl('rollout', 'status', 'daemonset/echo', '--timeout=60s');
    const restarts = await get('pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].restartCount}');
    expect(restarts).toBe('0 0 0 0 0 0');
    expect(await nodesAnswering(`http://${await addressOf(names[1])}:${await portOf('echo')}/`)).toEqual(
      names,
    );
  });

  it('drains a node, and budgets are respected', async () => {
    await kubectl.apply([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: {
              nodeSelector: { 'kubernetes.io/hostname': names[2] },
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: 'web',
                  image: 'kanoe.local/node',
                  command: ['node', '-e', 'setInterval(() => {}, 1e6)'],
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web' },
        spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
      },
    ]);
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    const refused = await cluster.kanoe(['node', 'drain', names[2]]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)',
    );
    const held = await cluster.kanoe(['node', 'drain', names[2], '--ignore-daemonsets', '--timeout', '2s']);
    expect(held.code).toBe(1);
    expect(held.stderr).toContain("it would violate the pod's disruption budget");
    await kubectl('delete', 'poddisruptionbudget/web');
    const drained = await cluster.mustKanoe(['node', 'drain', names[2], '--ignore-daemonsets']);
    expect(drained).toContain(`node/${names[2]} drained`);
    await cluster.mustKanoe(['node', 'uncordon', names[2]]);
    await kubectl('delete', 'deployment/web', '--now');
  });

  it('loses a node that is stopped, moves its pods, and has it back', async () => {
    await kubectl(
      'create',
      'deployment',
      'moving',
      '--image=kanoe.local/node',
      '--replicas=3',
      '--',
      'node',
      '-e',
      'setInterval(() => {}, 1e6)',
    );
    await kubectl('rollout', 'status', 'deployment/moving', '--timeout=60s');
    await cluster.mustKanoe(['node', 'stop', names[1]]);
    await eventually(async () => {
      expect(await cluster.mustKanoe(['node', 'list'])).toMatch(new RegExp(`${names[1]} +NotReady`));
    });
    await eventually(async () => {
      const running = await get(
        'pods',
        '-l',
        'app=moving',
        '-o',
        'jsonpath={range .items[*]}{.spec.nodeName}{" "}{.metadata.deletionTimestamp}{"\\n"}{end}',
      );
      const alive = running.split('\n').filter((line) => line.endsWith(' '));
      expect(alive).toHaveLength(3);
      expect(alive).not.toContain(`${names[1]} `);
    });
    await cluster.mustKanoe(['node', 'start', names[1]]);
    await kubectl('wait', '--for=condition=Ready', `node/${names[1]}`, '--timeout=30s');
    await kubectl('rollout', 'status', 'daemonset/echo', '--timeout=60s');
    expect(await nodesAnswering(`http://${await addressOf(names[0])}:${await portOf('echo')}/`)).toEqual(
      names,
    );
  });

  it('adds a node and deletes it with all that it left', async () => {
    expect(await cluster.mustKanoe(['node', 'add', 'extra'])).toBe('node/extra added\n');
    await kubectl('rollout', 'status', 'daemonset/echo', '--timeout=60s');
    const port = await portOf('echo');
    expect(await nodesAnswering(`http://${await addressOf('extra')}:${port}/`)).toEqual(
      ['extra', ...names].sort(),
    );
    const again = await cluster.kanoe(['node', 'add', 'extra']);
    expect(again.stderr).toContain('has a node named extra already');
    expect(await cluster.mustKanoe(['node', 'delete', 'extra'])).toContain('node/extra deleted');
    expect(await get('nodes', '-o', 'name')).not.toContain('extra');
    expect(execFileSync(ipProgram, ['netns', 'list'], { encoding: 'utf8' })).not.toContain(
      `kanoe-${cluster.record().id}-4`,
    );
    const gone = await cluster.kanoe(['node', 'stop', 'extra']);
    expect(gone.stderr).toContain('this machine runs no node named extra');
  });
});
