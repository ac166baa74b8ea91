import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoints, Pod } from '../src/api/core/v1.gen.ts';
import type { KubeObject } from '../src/machinery/object.ts';
import { eventually } from './support/eventually.ts';
import { projectRoot, startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

interface List<T extends KubeObject> {
  readonly items: readonly T[];
}

describeWith({ root: true, kubectl: true }, 'examples/patterns', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  let namespaces = 0;

  beforeAll(async () => {
    cluster = await startKanoe([]);
    kubectl = cluster.kubectl();
  });
  afterAll(() => cluster?.stop());

  /** Applies an example in a namespace of its own. */
  async function apply(name: string): Promise<Example> {
    const namespace = `example-${namespaces++}`;
    const on = (...args: readonly string[]): Promise<string> => kubectl('-n', namespace, ...args);
    await kubectl('create', 'namespace', namespace);
    await on('apply', '-f', join(projectRoot, 'examples/patterns', `${name}.yaml`));
    return {
      kubectl: on,
      get: async (kind, object) =>
        JSON.parse(await on('get', kind, object, '-o', 'json')) as KubeObject as never,
      pods: async (app) =>
        (JSON.parse(await on('get', 'pods', '-l', `app=${app}`, '-o', 'json')) as List<Pod>).items,
      ready: (what, seconds = 60) =>
        on('wait', what, '--for=condition=Ready', `--timeout=${seconds}s`).then(() => undefined),
      rolledOut: (what) => on('rollout', 'status', what, '--timeout=90s').then(() => undefined),
      async url(kind, object, port = 80) {
        const path = kind === 'service' ? '{.spec.clusterIP}' : '{.status.podIP}';
        return `http://${await on('get', kind, object, '-o', `jsonpath=${path}`)}:${port}`;
      },
    };
  }

  interface Example {
    kubectl(...args: readonly string[]): Promise<string>;
    get<T extends KubeObject>(kind: string, name: string): Promise<T>;
    pods(app: string): Promise<readonly Pod[]>;
    ready(what: string, seconds?: number): Promise<void>;
    rolledOut(what: string): Promise<void>;
    url(kind: 'service' | 'pod', name: string, port?: number): Promise<string>;
  }

  const text = async (url: string, init?: RequestInit): Promise<string> =>
    (await fetch(url, { headers: { connection: 'close' }, ...init })).text();

  it('single concern: the packer is scaled and stopped, the shop takes no notice', async () => {
    const example = await apply('single-concern');
    await Promise.all(['deployment/shop', 'deployment/packer'].map((one) => example.rolledOut(one)));
    const shop = await example.url('service', 'shop');
    for (let order = 0; order < 5; order++) await text(`${shop}/orders`, { method: 'POST' });
    await eventually(async () => expect(await text(shop)).toBe('0 orders wait\n'));
    await example.kubectl('scale', 'deployment/packer', '--replicas=0');
    await eventually(async () => expect(await example.pods('packer')).toEqual([]));
    await text(`${shop}/orders`, { method: 'POST' });
    expect(await text(shop)).toBe('1 orders wait\n');
    await example.kubectl('scale', 'deployment/packer', '--replicas=3');
    await eventually(async () => expect(await text(shop)).toBe('0 orders wait\n'));
    expect((await example.pods('shop'))[0]?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  it('high observability: busy, it leaves the Service; stuck, it is restarted', async () => {
    const example = await apply('high-observability');
    await example.rolledOut('deployment/observable');
    const [pod] = await example.pods('observable');
    const name = pod?.metadata.name ?? '';
    const url = await example.url('pod', name, 8080);
    expect(await text(`${url}/metrics`)).toMatch(/^http_requests_total\{path="\/started"\} \d+$/m);
    const [first = ''] = (await example.kubectl('logs', name)).split('\n');
    expect(JSON.parse(first)).toMatchObject({ message: 'listening' });
    await text(`${url}/busy`, { method: 'POST' });
    await eventually(async () => {
      const { subsets } = await example.get<Endpoints>('endpoints', 'observable');
      expect(subsets?.[0]?.addresses ?? []).toEqual([]);
    });
    await text(`${url}/stuck`, { method: 'POST' });
    const ended = await eventually(async () => {
      const { status } = await example.get<Pod>('pod', name);
      expect(status?.containerStatuses?.[0]?.restartCount).toBe(1);
      return status?.containerStatuses?.[0]?.lastState?.terminated;
    });
    expect(ended).toMatchObject({ exitCode: 1, message: expect.stringMatching(/^stopped after \d+ req/) });
    await example.ready(`pod/${name}`);
  });

  it('life-cycle conformance: running requests are answered after SIGTERM, an update loses none', async () => {
    const example = await apply('life-cycle-conformance');
    await example.rolledOut('deployment/conforming');
    const url = await example.url('service', 'conforming');
    const [pod] = await example.pods('conforming');
    const name = pod?.metadata.name ?? '';
    const slow = text(`${await example.url('pod', name, 8080)}/?ms=4000`);
    const log = example.kubectl('logs', '-f', name);
    await delay(300);
    await example.kubectl('delete', 'pod', name, '--wait=false');
    expect(await slow).toBe('served after 4000 ms\n');
    expect(await log).toContain('all requests are answered');
    await example.rolledOut('deployment/conforming');
    const update = new AbortController();
    const outcomes: number[] = [];
    const load = Promise.all(
      [1, 2, 3, 4].map(async () => {
        while (!update.signal.aborted) {
          const answer = await fetch(`${url}/?ms=20`, { headers: { connection: 'close' } }).catch(
            () => undefined,
          );
          outcomes.push(answer?.status ?? 0);
          await answer?.text().catch(() => outcomes.push(0));
        }
      }),
    );
    await example.kubectl('set', 'env', 'deployment/conforming', 'VERSION=2');
    await example.rolledOut('deployment/conforming');
    update.abort();
    await load;
    expect(outcomes.length).toBeGreaterThan(20);
    expect(outcomes.filter((status) => status !== 200)).toEqual([]);
  });

  it('image immutability: one image, two behaviours, no changes', async () => {
    const example = await apply('image-immutability');
    await Promise.all(['staging', 'production'].map((name) => example.ready(`pod/${name}`)));
    const images = await Promise.all(
      ['staging', 'production'].map(
        async (name) => (await example.get<Pod>('pod', name)).status?.containerStatuses?.[0]?.imageID,
      ),
    );
    expect(images[0]).toBe(images[1]);
    const answer = async (name: string): Promise<unknown> =>
      JSON.parse(await text(await example.url('pod', name, 8080)));
    expect(await answer('staging')).toEqual({
      greeting: 'hello from staging',
      password: 5,
      root: 'EROFS',
      scratch: 'written',
    });
    expect(await answer('production')).toMatchObject({ greeting: 'hello from production', password: 26 });
  });

  it('process disposability: every pod is killed, the count goes on', async () => {
    const example = await apply('process-disposability');
    await Promise.all(['statefulset/store', 'deployment/counter'].map((one) => example.rolledOut(one)));
    const url = await example.url('service', 'counter');
    const count = (): Promise<number> =>
      eventually(async () => {
        const answer = await fetch(url, { method: 'POST', headers: { connection: 'close' } });
        expect(answer.status).toBe(200);
        return Number(await answer.text());
      });
    expect([await count(), await count(), await count()]).toEqual([1, 2, 3]);
    await example.kubectl('delete', 'pods', '--all', '--grace-period=0', '--force');
    await Promise.all(['statefulset/store', 'deployment/counter'].map((one) => example.rolledOut(one)));
    expect(await count()).toBeGreaterThanOrEqual(4);
  });

  it('self-containment: nothing but what is declared is there', async () => {
    const example = await apply('self-containment');
    await example.ready('pod/self-contained');
    const { environment, credentials, runtime } = JSON.parse(
      await text(await example.url('pod', 'self-contained', 8080)),
    ) as { environment: readonly string[]; credentials: boolean; runtime: string };
    const usual = /^(HOME|HOSTNAME|NODE_VERSION|PATH|KUBERNETES_.*)$/;
    expect([environment.filter((name) => !usual.test(name)), credentials, runtime]).toEqual([
      ['MODE'],
      false,
      process.version,
    ]);
  });

  it('runtime confinement: the memory hog is OOM-killed alone', async () => {
    const example = await apply('runtime-confinement');
    const statuses = await eventually(async () => {
      const { containerStatuses = [] } = (await example.get<Pod>('pod', 'confined')).status ?? {};
      const hog = containerStatuses.find(({ name }) => name === 'hog');
      expect(hog?.lastState?.terminated ?? hog?.state?.terminated).toMatchObject({
        reason: 'OOMKilled',
        exitCode: 137,
      });
      return containerStatuses;
    }, 60_000);
    expect(statuses.find(({ name }) => name === 'neighbour')).toMatchObject({ restartCount: 0, ready: true });
    expect(Number(await text(await example.url('pod', 'confined', 8080)))).toBeGreaterThan(0);
  });

  it('sidecar: content changes while the server runs on', async () => {
    const example = await apply('sidecar');
    await example.ready('pod/website');
    const site = await example.url('pod', 'website', 8080);
    expect(await text(site)).toBe('first edition');
    const repository = await example.url('service', 'repository');
    await text(repository, { method: 'PUT', body: 'second edition' });
    await eventually(async () => expect(await text(site)).toBe('second edition'));
    const ended = await example
      .kubectl('exec', 'website', '-c', 'sync', '--', 'node', '-e', 'process.kill(1, "SIGTERM")')
      .then(() => 'exit code 0', String);
    // The container's end is also that of the command in it, whichever comes first.
    expect(ended).toMatch(/exit code (0|137)$/m);
    await eventually(async () => {
      const { status } = await example.get<Pod>('pod', 'website');
      expect([
        status?.initContainerStatuses?.[0]?.restartCount,
        status?.containerStatuses?.[0]?.restartCount,
      ]).toEqual([1, 0]);
    });
    await text(repository, { method: 'PUT', body: 'third edition' });
    await eventually(async () => expect(await text(site)).toBe('third edition'));
  });

  it('initializer: the program starts when its dependency answers and its data are there', async () => {
    const example = await apply('initializer');
    await eventually(async () =>
      expect(await example.kubectl('logs', 'initialized', '-c', 'wait')).toContain('settings: '),
    );
    expect(await example.kubectl('get', 'pod', 'initialized', '--no-headers')).toContain('Init:0/2');
    await example.kubectl('scale', 'deployment/settings', '--replicas=1');
    await example.ready('pod/initialized');
    expect(await text(`${await example.url('pod', 'initialized', 8080)}/12`)).toBe('144');
  });

  it('ambassador: two of three calls fail, the program sees none of it', async () => {
    const example = await apply('ambassador');
    await Promise.all(['quotes', 'reader'].map((name) => example.ready(`pod/${name}`)));
    const url = await example.url('pod', 'reader', 8080);
    for (let call = 0; call < 10; call++) expect(await text(url)).toBe('less is more\n');
    const stats = JSON.parse(await text(`${await example.url('pod', 'reader', 9000)}/stats`)) as object;
    expect(stats).toEqual({ calls: 30, retries: 20 });
  });

  it('adapter: private numbers become Prometheus metrics', async () => {
    const example = await apply('adapter');
    await example.ready('pod/adapted');
    const app = await example.url('pod', 'adapted', 8080);
    for (const path of ['/', '/', '/', '/nothing']) await text(`${app}${path}`);
    const lines = (await text(`${await example.url('pod', 'adapted', 9100)}/metrics`)).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE app_requests_total counter',
        'app_requests_total{outcome="served"} 3',
        'app_requests_total{outcome="refused"} 1',
        'app_wait_seconds_bucket{le="+Inf"} 4',
        'app_wait_seconds_count 4',
      ]),
    );
  });
});
