import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askFromPod, echoDaemons, echoService, podOn } from './support/echo.ts';
import { eventually } from './support/eventually.ts';
import { kanoeProgram, startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';
import { run, start, type Running } from './support/run.ts';

const ipProgram: string = '/sbin/ip';
const ip = (...args: readonly string[]): string => execFileSync(ipProgram, args, { encoding: 'utf8' });

describeWith(
  { root: true, kubectl: true, tools: ['nft', 'nsenter'] },
  'a node that joins from elsewhere',
  () => {
    const here = '198.18.7.1';
    const there = '198.18.7.2';
    let cluster: Workplace;
    let kubectl: Kubectl;
    let elsewhere: string;
    let link: string;
    let joined: Running | undefined;
    let command: readonly string[];

    const inside = (...words: readonly string[]): readonly string[] => [
      `--net=/run/netns/${elsewhere}`,
      process.execPath,
      kanoeProgram,
      ...words,
    ];
    const env = (): NodeJS.ProcessEnv => ({
      ...cluster.env,
      KANOE_HOME: join(cluster.directory, 'elsewhere'),
    });
    const startNode = (): Running =>
      start('nsenter', inside(...command, '--node-name', 'far', '--certificate-lifetime', '10m'), {
        env: env(),
      });

    beforeAll(async () => {
      elsewhere = `elsewhere-${process.pid}`;
      link = `kjoin${process.pid}`.slice(0, 15);
      ip('netns', 'add', elsewhere);
      ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', elsewhere);
      ip('addr', 'add', `${here}/24`, 'dev', link);
      ip('link', 'set', link, 'up');
      for (const words of [
        ['link', 'set', 'lo', 'up'],
        ['addr', 'add', `${there}/24`, 'dev', 'eth0'],
        ['link', 'set', 'eth0', 'up'],
        ['route', 'add', 'default', 'via', here],
      ])
        ip('-n', elsewhere, ...words);
      cluster = await startKanoe(['--listen', here]);
      kubectl = cluster.kubectl();
    });
    afterAll(async () => {
      await joined?.stop();
      await cluster?.stop();
      ip('netns', 'del', elsewhere);
    });

    const nodeOf = (name: string, path: string): Promise<string> =>
      kubectl('get', 'node', name, '-o', `jsonpath=${path}`);
    it('is told how by a token', async () => {
      const printed = await cluster.mustKanoe(['token', 'create', '--print-join-command', '--ttl', '1h']);
      expect(printed).toMatch(
        /^kanoe node join https:\/\/198\.18\.7\.1:\d+ --token [a-z0-9]{6}\.[a-z0-9]{16} --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}\n$/,
      );
      command = printed.trim().split(' ').slice(1);
      const token = command[command.indexOf('--token') + 1] ?? '';
      expect(await cluster.mustKanoe(['token', 'list'])).toContain(token);
      await eventually(async () => {
        const info = await kubectl('get', 'configmap', '-n', 'kube-public', 'cluster-info', '-o', 'json');
        expect(info).toContain(`jws-kubeconfig-${token.slice(0, 6)}`);
      });
    });

    it('does not join with a wrong secret, or a cluster of another authority', async () => {
      const wrongSecret = command.map((word) =>
        word.replace(/^([a-z0-9]{6})\.[a-z0-9]{16}$/, '$1.0123456789abcdef'),
      );
      const first = await run('nsenter', inside(...wrongSecret, '--node-name', 'far'), { env: env() });
      expect(first.code).toBe(1);
      expect(first.stderr).toContain('is not signed with the secret of token');
      const wrongPin = command.map((word) => word.replace(/sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`));
      const second = await run('nsenter', inside(...wrongPin, '--node-name', 'far'), { env: env() });
      expect(second.code).toBe(1);
      expect(second.stderr).toContain('is none of those of --discovery-token-ca-cert-hash');
    });

    it('becomes Ready with certificates that the cluster has signed', async () => {
      joined = startNode();
      await eventually(async () => {
        expect(await nodeOf('far', '{.status.conditions[?(@.type=="Ready")].status}')).toBe('True');
      });
      expect(await nodeOf('far', '{.status.addresses[?(@.type=="InternalIP")].address}')).toBe(there);
      const requests = await kubectl(
        'get',
        'csr',
        '-o',
        'jsonpath={range .items[*]}{.spec.signerName} {.status.conditions[*].type}{"\\n"}{end}',
      );
      expect(requests.trim().split('\n').sort()).toEqual([
        'kubernetes.io/kube-apiserver-client-kubelet Approved',
        'kubernetes.io/kubelet-serving Approved',
      ]);
      expect(await cluster.mustKanoe(['node', 'list'])).toMatch(/far +Ready +198\.18\.7\.2 .*elsewhere/);
    });

    it('runs pods that reach those of the other machine, and are reached', async () => {
      await kubectl.apply([echoDaemons('echo', {}), echoService('echo', { type: 'NodePort' })]);
      await kubectl('rollout', 'status', 'daemonset/echo', '--timeout=90s');
      const [far, near] = await Promise.all([
        podOn(kubectl, 'far', 'echo'),
        podOn(kubectl, cluster.name, 'echo'),
      ]);
      const addressOf = (pod: string): Promise<string> =>
        kubectl('get', 'pod', pod, '-o', 'jsonpath={.status.podIP}');
      const [farAddress, nearAddress] = await Promise.all([addressOf(far), addressOf(near)]);
      expect(await askFromPod(kubectl, far, `http://${nearAddress}:8080/`)).toMatchObject({
        node: cluster.name,
        client: farAddress,
      });
      expect(await askFromPod(kubectl, near, `http://${farAddress}:8080/`)).toMatchObject({
        node: 'far',
        client: nearAddress,
      });
      for (const pod of [far, near]) {
        const seen = new Set<string>();
        for (let round = 0; round < 4; round += 1)
          seen.add((await askFromPod(kubectl, pod, 'http://echo/')).node);
        expect([...seen].sort()).toEqual(['far', cluster.name].sort());
      }
      const port = await kubectl('get', 'service', 'echo', '-o', 'jsonpath={.spec.ports[0].nodePort}');
      const answer = await fetch(`http://${there}:${port}/`, { signal: AbortSignal.timeout(5000) });
      expect(answer.status).toBe(200);
      expect(await kubectl('exec', far, '--', 'node', '-p', '6*7')).toBe('42\n');
    });

    it('shows logs, forwards ports, and says what its pods use', async () => {
      const far = await podOn(kubectl, 'far', 'echo');
      expect(await kubectl('logs', far)).toBe('');
      const ports = start('kubectl', ['--kubeconfig', cluster.kubeconfig, 'port-forward', far, ':8080'], {
        env: env(),
      });
      const [, port] = await ports.printed(/127\.0\.0\.1:(\d+) ->/);
      const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(10_000) });
      expect(await answer.json()).toMatchObject({ node: 'far' });
      await ports.stop();
      await eventually(async () => {
        expect(await kubectl('top', 'nodes')).toMatch(/^far +\d+m/m);
        expect(await kubectl('top', 'pods', '-l', 'app=echo')).toMatch(
          new RegExp(`^${far} +\\d+m +\\d+Mi`, 'm'),
        );
      }, 60_000);
    });

    it('is drained, and takes pods again', async () => {
      const drained = await kubectl('drain', 'far', '--ignore-daemonsets', '--timeout=60s');
      expect(drained).toContain('node/far');
      expect(await nodeOf('far', '{.spec.unschedulable}')).toBe('true');
      await kubectl('uncordon', 'far');
    });

    it('comes back without a token, and takes its pods over', async () => {
      const before = await kubectl(
        'get',
        'pods',
        '-o',
        'jsonpath={.items[*].status.containerStatuses[0].restartCount}',
      );
      joined?.process.kill('SIGKILL');
      await joined?.ended;
      joined = start('nsenter', inside(...command.slice(0, 3), '--node-name', 'far'), { env: env() });
      await joined.printed(/node far is Ready/);
      await kubectl('rollout', 'status', 'daemonset/echo', '--timeout=60s');
      const after = await kubectl(
        'get',
        'pods',
        '-o',
        'jsonpath={.items[*].status.containerStatuses[0].restartCount}',
      );
      expect(after).toBe(before);
    });

    it('leaves nothing behind', async () => {
      await joined?.stop();
      joined = undefined;
      expect(ip('-n', elsewhere, 'link')).not.toMatch(/ k[0-9a-f]{6}/);
      expect(await cluster.mustKanoe(['node', 'delete', 'far', '--no-drain'])).toContain('node/far deleted');
      await eventually(() => {
        expect(ip('route')).not.toContain(there);
      });
    });
  },
);
