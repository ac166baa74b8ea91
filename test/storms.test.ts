import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployments, replicasets, type Deployment } from '../src/api/apps/v1.gen.ts';
import { configmaps, events, namespaces, pods, serviceaccounts } from '../src/api/core/v1.gen.ts';
import { systemClock } from '../src/base/clock.ts';
import type { Client } from '../src/client/client.ts';
import { createClient } from '../src/client/create-client.ts';
import { allControllers } from '../src/controllers/catalog.ts';
import type { KubeObject } from '../src/machinery/object.ts';
import type { ApiRequest, Transport } from '../src/machinery/transport.ts';
import type { RunningController } from '../src/reconcile/controller.ts';
import { createEventRecorder } from '../src/reconcile/create-event-recorder.ts';
import { createInformers } from '../src/reconcile/create-informers.ts';
import { fakeNode } from '../src/reconcile/fake-node.ts';
import { controllerReference } from '../src/reconcile/owner.ts';
import { startControllers } from '../src/reconcile/start-controllers.ts';
import { startTestServer, type TestServer } from '../src/reconcile/test-server.ts';

/** Waits until a check holds; it costs something on a server that is busy, so it is not made too often. */
async function until(check: () => Promise<boolean>, timeoutMs: number = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error('the storm does not settle');
    await delay(500);
  }
}

/** What the controllers did to the server. */
interface Deeds {
  /** Writes that changed nothing. */
  readonly idle: string[];
  /** The most keys that waited at once, by controller. */
  readonly longest: Map<string, number>;
  writes: number;
}

let server: TestServer;
let client: Client;
let deeds: Deeds;
let stop: () => Promise<void>;

beforeEach(async () => {
  server = await startTestServer([]);
  ({ client } = server);
  deeds = { idle: [], longest: new Map(), writes: 0 };
  const watched = createClient(watching(client.transport, deeds));
  const informers = createInformers(watched, { clock: systemClock });
  const running: RunningController = startControllers([...allControllers({ ca: 'CA' }), fakeNode], {
    client: watched,
    informers,
    clock: systemClock,
    observeQueue: (name) => queueObserver(name, deeds),
  });
  await informers.synced();
  stop = async () => {
    await running.stop();
    await informers.stop();
    await server.stop();
  };
  await until(async () => {
    const list = await client.for(serviceaccounts).list({ namespace: 'default' });
    return list.items.length > 0;
  });
});
afterEach(async () => {
  await stop();
});

/** Tells writes that changed nothing: their answer has the version that they were based on. */
function watching(inner: Transport, seen: Deeds): Transport {
  return {
    ...inner,
    watch: (request) => inner.watch(request),
    raw: (path, signal) => inner.raw(path, signal),
    close: () => inner.close(),
    async request(request: ApiRequest) {
      const answer = await inner.request(request);
      const { verb, resource, subresource = '', name = '' } = request;
      if (verb === 'update' || verb === 'patch' || verb === 'create' || verb === 'delete') seen.writes++;
      if (verb === 'update' && subresource !== 'finalize') {
        const [before, after] = [request.body as KubeObject, answer as KubeObject];
        if (before.metadata.resourceVersion === after.metadata.resourceVersion)
          seen.idle.push(`${resource}/${subresource} ${name}`);
      }
      return answer;
    },
  };
}

function queueObserver(
  name: string,
  seen: Deeds,
): {
  added(): void;
  started(): () => void;
  retried(): void;
  dropped(): void;
} {
  let length = 0;
  return {
    added() {
      length++;
      seen.longest.set(name, Math.max(seen.longest.get(name) ?? 0, length));
    },
    started() {
      length--;
      return () => {};
    },
    retried() {},
    dropped() {},
  };
}

/** Does `act` for 0 … count-1, some at a time. */
async function inParallel(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await act(index);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

function web(index: number, image: string): Deployment {
  const labels = { app: `web-${index}` };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `web-${index}`, namespace: 'default' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } },
    },
  };
}

describe('a storm', () => {
  it(
    'of a thousand deployments rolled at once settles without a write for nothing',
    { timeout: 500_000 },
    async () => {
      const count = 1000;
      const areRolled = async (image: string): Promise<boolean> => {
        const { items } = await client.for(deployments).list();
        const done = items.filter(
          ({ status, metadata }) =>
            status?.observedGeneration === metadata.generation &&
            status?.updatedReplicas === 1 &&
            status.replicas === 1 &&
            status.availableReplicas === 1,
        );
        if (done.length < count) return false;
        const { items: running } = await client.for(pods).list();
        return running.length === count && running.every(({ spec }) => spec.containers[0]?.image === image);
      };
      await inParallel(count, (index) => client.for(deployments).create(web(index, 'one')));
      await until(() => areRolled('one'), 200_000);
      await inParallel(count, (index) =>
        client
          .for(deployments)
          .patch(
            { namespace: 'default', name: `web-${index}` },
            { spec: { template: { spec: { containers: [{ name: 'c', image: 'two' }] } } } },
            { type: 'application/strategic-merge-patch+json' },
          ),
      );
      await until(() => areRolled('two'), 200_000);
      const sets = await client.for(replicasets).list();
      expect(sets.items.map(({ spec }) => spec.replicas).sort()).toEqual(
        Array.from({ length: 2 * count }, (_, index) => (index < count ? 0 : 1)),
      );
      expect(deeds.idle).toEqual([]);
      expect(Math.max(...deeds.longest.values())).toBeLessThanOrEqual(3 * count);
    },
  );

  it('of five hundred namespaces deleted at once ends with none of them', async () => {
    const count = 500;
    const name = (index: number): string => `team-${index}`;
    await inParallel(count, async (index) => {
      const metadata = { name: name(index) };
      await client.for(namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata, spec: {} });
      const labels = { app: 'x' };
      for (const one of ['a', 'b', 'c'])
        await client.for(configmaps).create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: one, namespace: name(index), labels },
        });
    });
    await inParallel(count, (index) => client.for(namespaces).delete({ name: name(index) }));
    await until(async () => {
      const { items } = await client.for(namespaces).list();
      return !items.some(({ metadata }) => metadata.name.startsWith('team-'));
    }, 120_000);
    const left = await client.for(configmaps).list({ labelSelector: 'app=x' });
    expect(left.items).toEqual([]);
    expect(deeds.idle).toEqual([]);
  });

  it('of ten thousand objects under one owner takes them all, and nothing else', async () => {
    const width = 100;
    const make = async (objectName: string, owner?: KubeObject): Promise<KubeObject> => {
      const ownerReferences = owner
        ? [controllerReference(owner as Parameters<typeof controllerReference>[0])]
        : [];
      return await client.for(configmaps).create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: objectName, namespace: 'default', labels: { graph: 'yes' }, ownerReferences },
      });
    };
    const root = await make('root');
    await make('bystander');
    await inParallel(width, async (index) => {
      const middle = await make(`node-${index}`, root);
      for (let leaf = 0; leaf < width - 1; leaf++) await make(`leaf-${index}-${leaf}`, middle);
    });
    await client
      .for(configmaps)
      .delete({ namespace: 'default', name: 'root' }, { propagationPolicy: 'Foreground' });
    const rest = async (): Promise<readonly string[]> => {
      const { items } = await client.for(configmaps).list({ labelSelector: 'graph=yes' });
      return items.map(({ metadata }) => metadata.name);
    };
    await until(async () => (await rest()).length === 1, 150_000);
    expect(await rest()).toEqual(['bystander']);
    expect(deeds.idle).toEqual([]);
  });

  it('of events about one object is written as a few', async () => {
    const recorder = createEventRecorder(client, { clock: systemClock, component: 'hot' });
    const about = await client.for(serviceaccounts).get({ namespace: 'default', name: 'default' });
    for (let index = 0; index < 10_000; index++)
      recorder.record(about, 'Warning', 'Hot', `message ${index % 500}`);
    await until(async () => {
      const { items } = await client.for(events).list({ namespace: 'default' });
      return items.some(({ message = '' }) => message.startsWith('(combined from similar events)'));
    });
    const { items } = await client.for(events).list({ namespace: 'default' });
    expect(items.filter(({ reason }) => reason === 'Hot').length).toBeLessThanOrEqual(10);
  });
});
