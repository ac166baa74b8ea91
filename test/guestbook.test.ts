import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Deployment } from '../src/api/apps/v1.gen.ts';
import { mainProcess, processesIn } from './support/container-processes.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace, WorkplaceOptions } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { caseFile, describeWith, imageArchive } from './support/needs.ts';
import { startRegistry } from './support/registry.ts';
import type { Registry } from './support/registry.ts';

const manifest = caseFile('guestbook-all-in-one.yaml');
const images = {
  redis: 'redis:e2e',
  'gb-redisslave': 'google_samples/gb-redisslave:v1',
  'gb-frontend': 'google-samples/gb-frontend:v5',
};
const archives = Object.keys(images).map(imageArchive);
const needs = {
  root: true,
  kubectl: true,
  images: Object.keys(images),
  cases: ['guestbook-all-in-one.yaml'],
} as const;

/** One cluster with the guestbook in it. */
class Guestbook {
  readonly cluster: Workplace;
  readonly kubectl: Kubectl;

  private constructor(cluster: Workplace) {
    this.cluster = cluster;
    this.kubectl = cluster.kubectl();
  }

  static async bringUp(args: readonly string[], options: WorkplaceOptions = {}): Promise<Guestbook> {
    const guestbook = new Guestbook(await startKanoe(args, options));
    await guestbook.kubectl('apply', '-f', manifest);
    return guestbook;
  }

  async ready(): Promise<void> {
    for (const name of ['redis-master', 'redis-replica', 'frontend'])
      await this.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=60s');
    await this.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
  }

  async names(...args: readonly string[]): Promise<readonly string[]> {
    const text = await this.kubectl('get', ...args, '-o', 'name');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  }

  async port(): Promise<string> {
    return this.kubectl('get', 'service', 'frontend', '-o', 'jsonpath={.spec.ports[0].nodePort}');
  }

  /** Calls the application through the frontend's node port. */
  async call(
    command: 'set' | 'get',
    value: string = '',
  ): Promise<{ readonly data?: string; readonly message?: string }> {
    const query = new URLSearchParams({ cmd: command, key: 'messages', value });
    const answer = await fetch(`http://127.0.0.1:${await this.port()}/guestbook.php?${query.toString()}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return JSON.parse(text) as { readonly data?: string };
  }

  /** Writes through the master and reads back through the replicas, several times; gives what was read last. */
  async remembers(value: string): Promise<string | undefined> {
    await this.call('set', value);
    let read: string | undefined;
    for (let round = 0; round < 4; round += 1) {
      read = await eventually(async () => {
        const { data } = await this.call('get');
        if (data !== value)
          throw new Error(`${JSON.stringify(data)} was read, ${JSON.stringify(value)} written`);
        return data;
      });
    }
    return read;
  }
}

for (const { launcher, without } of [
  { launcher: 'an OCI runtime and nftables', without: undefined },
  { launcher: 'util-linux and sockets alone', without: ['crun', 'runc', 'nft'] },
]) {
  describeWith(needs, `the guestbook with images loaded from files, by ${launcher}`, () => {
    let book: Guestbook;

    beforeAll(async () => {
      const load = archives.flatMap((archive) => ['--load', archive]);
      book = await Guestbook.bringUp(load, { ...(without && { without }) });
      await book.ready();
    });
    afterAll(() => book?.cluster.stop());

    it('has six pods that are Ready', async () => {
      expect(await book.names('pods')).toHaveLength(6);
    });

    it('reads a value back through the replicas', async () => {
      expect(await book.remembers('hello from outside')).toBe('hello from outside');
    });

    it('keeps its processes in namespaces and a root of their own', async () => {
      const ids = await book.kubectl(
        'get',
        'pods',
        '-o',
        'jsonpath={.items[*].status.containerStatuses[*].containerID}',
      );
      const first = ids.split(' ').map(mainProcess);
      const links = (name: string): readonly string[] =>
        first.map((pid) => readlinkSync(`/proc/${pid}/ns/${name}`));
      for (const name of ['pid', 'mnt', 'net', 'ipc', 'uts']) {
        expect(new Set(links(name)).size).toBe(6);
        expect(links(name)).not.toContain(readlinkSync(`/proc/self/ns/${name}`));
      }
      const roots = first.map(
        (pid) => /^\d+ \d+ (\S+) \S+ \/ /m.exec(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'))?.[1],
      );
      expect(new Set(roots).size).toBe(6);
    });

    it('restarts a container whose process is killed', async () => {
      const [name = ''] = await book.names('pods', '-l', 'app=guestbook');
      const id = await book.kubectl('get', name, '-o', 'jsonpath={.status.containerStatuses[0].containerID}');
      process.kill(mainProcess(id), 'SIGKILL');
      await book.kubectl(
        'wait',
        name,
        '--for=jsonpath={.status.containerStatuses[0].restartCount}=1',
        '--timeout=30s',
      );
      await book.kubectl('wait', name, '--for=condition=Ready', '--timeout=30s');
      const last = await book.kubectl(
        'get',
        name,
        '-o',
        'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}',
      );
      expect(last).toBe('137');
      expect(await book.remembers('after the restart')).toBe('after the restart');
    });

    if (without) return;

    it('follows scaling up and down', async () => {
      for (const replicas of [5, 1, 3]) {
        await book.kubectl('scale', 'deployment/frontend', `--replicas=${replicas}`);
        await book.kubectl('rollout', 'status', 'deployment/frontend', '--timeout=60s');
        await eventually(async () => {
          expect(await book.names('pods', '-l', 'app=guestbook')).toHaveLength(replicas);
          expect(await endpointsOf(book, 'frontend')).toHaveLength(replicas);
        });
      }
      expect(await book.remembers('after scaling')).toBe('after scaling');
    });

    it('replaces its pods on a restart, and goes back to an older version', async () => {
      const revision = async (): Promise<string | undefined> =>
        (await book.kubectl.json<Deployment>('get', 'deployment/frontend')).metadata?.annotations?.[
          'deployment.kubernetes.io/revision'
        ];
      const before = await book.names('pods', '-l', 'app=guestbook');
      await book.kubectl('rollout', 'restart', 'deployment/frontend');
      await book.kubectl('rollout', 'status', 'deployment/frontend', '--timeout=60s');
      expect(await revision()).toBe('2');
      await eventually(async () => {
        const after = await book.names('pods', '-l', 'app=guestbook');
        expect(after).toHaveLength(3);
        expect(after.filter((name) => before.includes(name))).toEqual([]);
      });
      expect(await book.remembers('after the rollout')).toBe('after the rollout');

      await book.kubectl(
        'set',
        'image',
        'deployment/frontend',
        'php-redis=gcr.io/google-samples/gb-frontend:none',
      );
      await eventually(async () => {
        const reasons = await book.kubectl(
          'get',
          'pods',
          '-l',
          'app=guestbook',
          '-o',
          'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}',
        );
        expect(reasons).toMatch(/ErrImagePull|ImagePullBackOff/);
      });
      expect(await book.remembers('while the new version cannot be pulled')).toBe(
        'while the new version cannot be pulled',
      );
      await book.kubectl('rollout', 'undo', 'deployment/frontend');
      await book.kubectl('rollout', 'status', 'deployment/frontend', '--timeout=60s');
      expect(await revision()).toBe('4');
      await eventually(async () => expect(await book.names('pods', '-l', 'app=guestbook')).toHaveLength(3));
      const history = await book.kubectl('rollout', 'history', 'deployment/frontend');
      expect(history.match(/^\d+/gm)).toEqual(['1', '3', '4']);
      const sets = await book.kubectl(
        'get',
        'replicasets',
        '-l',
        'app=guestbook',
        '-o',
        'jsonpath={.items[*].status.replicas}',
      );
      expect(sets.split(' ').sort()).toEqual(['0', '0', '3']);
      expect(await book.remembers('after the way back')).toBe('after the way back');
    });

    it('leaves nothing behind when its manifest is deleted', async () => {
      await book.kubectl('delete', '-f', manifest, '--timeout=60s');
      await eventually(async () => {
        const left = await book.names(
          'pods,deployments,replicasets,endpoints,endpointslices,services',
          '-l',
          'kubernetes.io/metadata.name!=default',
        );
        expect(left.filter((name) => !name.endsWith('/kubernetes'))).toEqual([]);
      }, 60_000);
      await eventually(async () => {
        for (const name of ['frontend', 'redis-master', 'redis-replica'])
          expect((await book.kubectl.try(['get', 'endpoints', name])).code).toBe(1);
        expect(processesIn(`kanoe-${book.cluster.record().id}`)).toEqual([]);
      });
    });
  });
}

describeWith(
  { ...needs, tools: ['docker-registry', 'skopeo'] },
  'the guestbook with images pulled from a registry',
  () => {
    let registry: Registry;
    let book: Guestbook;

    beforeAll(async () => {
      const mirrors: string[] = [];
      const directory = join(process.env['TMPDIR'] ?? '/tmp', `kanoe-registry-${process.pid}`);
      registry = await startRegistry(directory);
      for (const [name, reference] of Object.entries(images))
        await registry.push(imageArchive(name), reference);
      for (const host of ['registry.k8s.io', 'gcr.io', 'docker.io'])
        mirrors.push('--mirror', `${host}=${registry.url}`);
      book = await Guestbook.bringUp(mirrors);
      await book.ready();
    });
    afterAll(async () => {
      await book?.cluster.stop();
      await registry?.stop();
    });

    it('has six pods that are Ready and that pulled their images', async () => {
      expect(await book.names('pods')).toHaveLength(6);
      const events = await book.kubectl(
        'get',
        'events',
        '-o',
        'jsonpath={range .items[?(@.reason=="Pulled")]}{.message}{"\\n"}{end}',
      );
      for (const reference of Object.values(images))
        expect(events).toMatch(
          new RegExp(
            `Successfully pulled image "\\S+${reference}" in \\S+ \\(\\S+ including waiting\\)\\. Image size: \\d+ bytes\\.`,
          ),
        );
    });

    it('reads a value back through the replicas', async () => {
      expect(await book.remembers('pulled')).toBe('pulled');
    });

    it('says why an image cannot be pulled', async () => {
      await book.kubectl('run', 'absent', '--image=gcr.io/no/such-image:v1', '--restart=Never');
      await book.kubectl(
        'wait',
        'pod/absent',
        '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff',
        '--timeout=30s',
      );
      const events = await book.kubectl(
        'get',
        'events',
        '--field-selector=involvedObject.name=absent',
        '-o',
        'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
      );
      expect(events).toContain('Pulling: Pulling image "gcr.io/no/such-image:v1"');
      expect(events).toMatch(
        /Failed: Failed to pull image "gcr.io\/no\/such-image:v1": .*(not found|unknown)/,
      );
      expect(events).toContain('Failed: Error: ErrImagePull');
      expect(events).toContain('BackOff: Back-off pulling image "gcr.io/no/such-image:v1"');
      expect(events).toContain('Failed: Error: ImagePullBackOff');
    });
  },
);

async function endpointsOf(book: Guestbook, service: string): Promise<readonly string[]> {
  const text = await book.kubectl(
    'get',
    'endpoints',
    service,
    '-o',
    'jsonpath={.subsets[*].addresses[*].ip}',
  );
  return text.split(' ').filter((address) => address !== '');
}
