import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import { findKubectls, type Kubectl, type KubectlProgram } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';
import { must } from './support/run.ts';

const program =
  'console.log("started"); setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(0))';

/** A deployment of pods that do nothing. */
function idle(name: string, replicas: number, extra: object = {}): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels, ...extra },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          // A program that is asked to end before it listens to signals goes on until the end of its grace period.
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              image: 'kanoe.local/node',
              command: ['node', '-e', program],
              resources: { requests: { cpu: '1m' } },
            },
          ],
        },
      },
    },
  };
}

/** Since which minor version a verb is there. */
const since = { createToken: 24, events: 26 } as const;

function minor({ version }: KubectlProgram): number {
  return Number(version.split('.')[1]);
}

describeWith({ root: true, kubectl: true }, 'kubectl', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await startKanoe();
  });
  afterAll(() => place.stop());

  describe.each(findKubectls())('$version', (kubectlProgram) => {
    const namespace = `v${kubectlProgram.version.replace('.', '-')}`;
    let kubectl: Kubectl;
    let inNamespace: (...args: readonly string[]) => Promise<string>;
    let folder: string;
    beforeAll(async () => {
      kubectl = place.kubectl(kubectlProgram);
      inNamespace = (...args) => kubectl('--namespace', namespace, ...args);
      folder = join(place.directory, namespace);
      mkdirSync(folder);
      await kubectl('create', 'namespace', namespace);
      writeFileSync(join(folder, 'web.json'), JSON.stringify(idle('web', 1)));
    });

    const file = (name: string): string => join(folder, name);

    it('applies, shows what would change, and applies again', async () => {
      expect(await inNamespace('apply', '-f', file('web.json'))).toBe('deployment.apps/web created\n');
      expect(await inNamespace('apply', '-f', file('web.json'))).toBe('deployment.apps/web unchanged\n');
      writeFileSync(file('web-2.json'), JSON.stringify(idle('web', 2)));
      const diff = await kubectl.try(['--namespace', namespace, 'diff', '-f', file('web-2.json')]);
      expect(diff.stdout).toMatch(/-\s+replicas: 1\n\+\s+replicas: 2/);
      expect(diff.code).toBe(1);
      expect(await inNamespace('apply', '-f', file('web-2.json'))).toBe('deployment.apps/web configured\n');
      await inNamespace('rollout', 'status', 'deployment/web', '--timeout=60s');
    });

    it('applies server-side: owners, conflicts, force', async () => {
      writeFileSync(file('owned.json'), JSON.stringify(idle('owned', 0)));
      const apply = ['apply', '--server-side', '-f', file('owned.json')] as const;
      expect(await inNamespace(...apply)).toBe('deployment.apps/owned serverside-applied\n');
      const other = await kubectl.try(
        ['--namespace', namespace, 'apply', '--server-side', '--field-manager=other', '-f', '-'],
        { input: JSON.stringify({ ...idle('owned', 3) }) },
      );
      expect(other.stderr).toContain('conflict with "kubectl": .spec.replicas');
      expect(other.code).toBe(1);
      writeFileSync(file('taken.json'), JSON.stringify(idle('owned', 3)));
      const force = ['--field-manager=other', '--force-conflicts', '-f', file('taken.json')];
      await inNamespace('apply', '--server-side', ...force);
      expect(await inNamespace('get', 'deployment', 'owned', '-o', 'jsonpath={.spec.replicas}')).toBe('3');
      await inNamespace('delete', 'deployment', 'owned');
    });

    it('patches in every way, edits and replaces', async () => {
      const read = (path: string): Promise<string> =>
        inNamespace('get', 'deployment', 'web', '-o', `jsonpath={${path}}`);
      const patch = (type: string, body: object): Promise<string> =>
        inNamespace('patch', 'deployment', 'web', `--type=${type}`, '-p', JSON.stringify(body));
      await patch('json', [{ op: 'add', path: '/metadata/annotations/json', value: 'yes' }]);
      await patch('merge', { metadata: { annotations: { merge: 'yes' } } });
      await patch('strategic', {
        spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'A', value: 'b' }] }] } } },
      });
      expect(await read('.metadata.annotations.json')).toBe('yes');
      expect(await read('.metadata.annotations.merge')).toBe('yes');
      expect(await read('.spec.template.spec.containers[0].image')).toBe('kanoe.local/node');
      expect(await read('.spec.template.spec.containers[0].env[0].value')).toBe('b');
      writeFileSync(
        file('editor'),
        `#!/bin/sh\nsed -i 's/merge: "yes"/merge: edited/; s/merge: yes/merge: edited/' "$1"\n`,
      );
      chmodSync(file('editor'), 0o755);
      const [env = '', ...command] = kubectl.command;
      const edit = [
        `KUBE_EDITOR=${file('editor')}`,
        ...command,
        '--namespace',
        namespace,
        'edit',
        'deployment',
        'web',
      ];
      expect(await must(env, edit)).toBe('deployment.apps/web edited\n');
      expect(await read('.metadata.annotations.merge')).toBe('edited');
      // `replace` reads and writes, and refuses when the controller writes the status between the two.
      await inNamespace('rollout', 'status', 'deployment/web', '--timeout=60s');
      await eventually(async () => {
        const live = await kubectl.json<{ metadata: { resourceVersion?: string } }>(
          '-n',
          namespace,
          'get',
          'deployment',
          'web',
        );
        delete live.metadata.resourceVersion;
        writeFileSync(file('live.json'), JSON.stringify(live));
        expect(await inNamespace('replace', '-f', file('live.json'))).toBe('deployment.apps/web replaced\n');
      });
    });

    it('rolls out: status, history, restart, undo, pause', async () => {
      await inNamespace('set', 'env', 'deployment/web', 'A=c');
      await inNamespace('rollout', 'status', 'deployment/web', '--timeout=60s');
      expect(await inNamespace('rollout', 'history', 'deployment/web')).toMatch(/REVISION\s+CHANGE-CAUSE\n/);
      await inNamespace('rollout', 'undo', 'deployment/web');
      await inNamespace('rollout', 'restart', 'deployment/web');
      await inNamespace('rollout', 'pause', 'deployment/web');
      await inNamespace('rollout', 'resume', 'deployment/web');
      await inNamespace('rollout', 'status', 'deployment/web', '--timeout=60s');
      const env = 'jsonpath={.spec.template.spec.containers[0].env[0].value}';
      expect(await inNamespace('get', 'deployment', 'web', '-o', env)).toBe('b');
    });

    it('scales, autoscales and exposes', async () => {
      await inNamespace('scale', 'deployment', 'web', '--replicas=1');
      await inNamespace('autoscale', 'deployment', 'web', '--min=1', '--max=3', '--cpu-percent=80');
      expect(await inNamespace('get', 'hpa', 'web')).toMatch(/Deployment\/web .*1 +3 +/);
      await inNamespace('delete', 'hpa', 'web');
      await inNamespace('expose', 'deployment', 'web', '--port=80', '--target-port=8080');
      expect(await inNamespace('get', 'service', 'web')).toMatch(/web +ClusterIP/);
    });

    it('labels, annotates, taints, cordons and drains', async () => {
      await inNamespace('label', 'deployment', 'web', 'tier=front');
      await inNamespace('annotate', 'deployment', 'web', 'note=hello');
      expect(await inNamespace('get', 'deployments', '-l', 'tier=front', '-o', 'name')).toBe(
        'deployment.apps/web\n',
      );
      const node = (await kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
      await kubectl('taint', 'node', node, `${namespace}=x:PreferNoSchedule`);
      await kubectl('taint', 'node', node, `${namespace}-`);
      await kubectl('cordon', node);
      expect(await kubectl('get', 'node', node)).toContain('SchedulingDisabled');
      // To try at the server, 1.20 lists definitions in a version that 1.36 does not serve.
      const drained = await kubectl.try([
        'drain',
        node,
        minor(kubectlProgram) === 20 ? '--dry-run=client' : '--dry-run=server',
        '--ignore-daemonsets',
        '--force',
      ]);
      await kubectl('uncordon', node);
      expect(drained.stdout).toMatch(/evicted|drained/);
    });

    it('says who may do what, and makes tokens', async () => {
      expect(await kubectl('auth', 'can-i', 'create', 'pods')).toBe('yes\n');
      const denied = await kubectl.try(['auth', 'can-i', 'create', 'pods', '--as=somebody']);
      expect(denied.stdout).toBe('no\n');
      expect(await kubectl('auth', 'can-i', '--list', '--as=somebody')).toContain('selfsubjectaccessreviews');
      const withoutTokens = minor(kubectlProgram) < since.createToken;
      const token = withoutTokens ? 'a.b.c' : await inNamespace('create', 'token', 'default');
      expect(token.split('.')).toHaveLength(3);
    });

    it('lists what is served and explains it', async () => {
      expect(await kubectl('api-resources')).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
      expect(await kubectl('api-versions')).toMatch(/^apps\/v1$/m);
      expect(await kubectl('explain', 'deployment.spec.replicas')).toMatch(/FIELD: *replicas <integer>/);
      expect(await kubectl('explain', 'pod.spec', '--recursive')).toContain('terminationGracePeriodSeconds');
    });

    it('gets in every output', async () => {
      const outputs: Readonly<Record<string, RegExp>> = {
        wide: /NAME +READY .*CONTAINERS +IMAGES +SELECTOR/,
        yaml: /^kind: Deployment$/m,
        json: /"kind": "Deployment"/,
        name: /^deployment\.apps\/web$/m,
        'jsonpath={.metadata.name}': /^web$/,
        'custom-columns=N:.metadata.name,R:.spec.replicas': /^web +1$/m,
        'go-template={{.metadata.name}}': /^web$/,
      };
      for (const [output, expected] of Object.entries(outputs))
        expect(await inNamespace('get', 'deployment', 'web', '-o', output)).toMatch(expected);
      expect(await inNamespace('get', 'all')).toContain('replicaset.apps/web-');
      expect(await kubectl('get', 'pods', '-A', '--sort-by=.metadata.name', '--show-labels')).toContain(
        'app=web',
      );
    });

    it('describes', async () => {
      const described = [
        'deployment/web',
        'service/web',
        'serviceaccount/default',
        'configmap/kube-root-ca.crt',
      ];
      for (const one of described)
        expect(await inNamespace('describe', one)).toMatch(new RegExp(`Name: +${one.split('/')[1]}`));
      expect(await inNamespace('describe', 'pods', '-l', 'app=web')).toContain('kanoe.local/node');
      expect(await kubectl('describe', 'node')).toContain('Allocated resources');
      expect(await kubectl('describe', 'namespace', namespace)).toContain('Active');
    });

    it('shows events', async () => {
      expect(await inNamespace('get', 'events')).toMatch(/Normal +Started +pod\/web-.* Container started/);
      const listed = minor(kubectlProgram) >= since.events;
      expect(listed ? await inNamespace('events', '--types=Normal') : 'Scheduled').toContain('Scheduled');
    });

    it('runs commands and shows logs', async () => {
      expect(await inNamespace('exec', 'deployment/web', '--', 'node', '-p', '6 * 7')).toBe('42\n');
      await expect.poll(() => inNamespace('logs', 'deployment/web')).toBe('started\n');
      expect(await kubectl('version', '-o', 'json')).toContain('+kanoe');
    });

    it('debugs a copy of a pod', async () => {
      const names = ['get', 'pods', '-l', 'app=web', '-o', 'name'];
      await expect.poll(() => inNamespace(...names), { timeout: 30_000 }).toMatch(/^pod\/\S+\n$/);
      const pod = (await inNamespace(...names)).trim().replace('pod/', '');
      const command = ['node', '-e', 'console.log("debugging"); setInterval(() => {}, 1000)'];
      await inNamespace('debug', pod, '--copy-to=copy', '--container=main', '--', ...command);
      await inNamespace('wait', 'pod/copy', '--for=condition=Ready', '--timeout=60s');
      await expect.poll(() => inNamespace('logs', 'copy')).toBe('debugging\n');
      await inNamespace('delete', 'pod', 'copy', '--grace-period=0', '--force');
    });

    it('shows what nodes and pods use', async () => {
      const top = (...what: readonly string[]): Promise<string> =>
        kubectl.try(['top', ...what]).then(({ stdout }) => stdout);
      await expect
        .poll(() => top('nodes'), { timeout: 40_000, interval: 1000 })
        .toMatch(/^\S+ +\d+m +\d+% +\d+Mi +\d+%/m);
      await expect
        .poll(() => top('pods', '-n', namespace), { timeout: 40_000, interval: 1000 })
        .toMatch(/^web-\S+ +\d+m +\d+Mi/m);
    });

    it('serves a proxy', async () => {
      const proxy = kubectl.start('proxy', '--port=0');
      const line = await proxy.printed(/Starting to serve on (\S+)/);
      const answer = await fetch(`http://${line[1]}/api/v1/namespaces/${namespace}`);
      expect(((await answer.json()) as { kind: string }).kind).toBe('Namespace');
      proxy.process.kill();
      await proxy.ended;
    });

    it('builds kustomizations', async () => {
      const base = join(folder, 'kustomize');
      mkdirSync(base);
      writeFileSync(
        join(base, 'kustomization.yaml'),
        'namePrefix: k-\nconfigMapGenerator:\n  - name: settings\n    literals: [a=b]\n',
      );
      expect(await inNamespace('apply', '-k', base)).toMatch(/^configmap\/k-settings-\w+ created/);
    });

    it('deletes and waits', async () => {
      await inNamespace('delete', '-f', file('web.json'), '--wait=true');
      const waited = await kubectl.try(['-n', namespace, 'wait', '--for=delete', 'deployment/web']);
      // Old versions find it an error that there is nothing to wait for.
      expect(waited.code === 0 || waited.stderr.includes('no matching resources found')).toBe(true);
      await kubectl('delete', 'namespace', namespace);
      expect(await kubectl('get', 'namespaces', '-o', 'name')).not.toContain(namespace);
      expect(readFileSync(file('web.json'), 'utf8')).toContain('web');
    });
  });
});
