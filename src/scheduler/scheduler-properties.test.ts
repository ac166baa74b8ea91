import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodes, pods, serviceaccounts, type Node, type Pod } from '../api/core/v1.gen.ts';
import { systemClock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import { createInformers } from '../reconcile/create-informers.ts';
import { eventually } from '../reconcile/eventually.ts';
import { startControllers } from '../reconcile/start-controllers.ts';
import { startTestServer } from '../reconcile/test-server.ts';
import { seededRandom } from './random.ts';
import { createScheduler, defaultSchedulerOptions } from './scheduler.ts';

type Fault = 'none' | 'refused' | 'lost' | 'late';

/** Others get their turn, some times over. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Every call that writes does as told next: works, is refused before the server sees it, loses its answer, or reaches
 * the server long after it was given up. Watches lag behind.
 */
function faulty(client: Client, next: () => Fault): Client {
  return {
    transport: client.transport,
    for<T extends KubeObject>(type: ResourceType<T>) {
      const resource = client.for(type);
      const guard =
        <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          const fault = next();
          if (fault === 'refused') throw new Error('connect ECONNREFUSED');
          if (fault === 'late') {
            void turns(40).then(() => call.apply(resource, args).catch(() => undefined));
            throw new Error('timeout');
          }
          const result = await call.apply(resource, args);
          if (fault === 'lost') throw new Error('socket hang up');
          return result;
        };
      return {
        type,
        get: resource.get.bind(resource),
        list: resource.list.bind(resource),
        async *watch(options) {
          for await (const event of resource.watch(options)) {
            await turns(20);
            yield event;
          }
        },
        create: guard(resource.create),
        update: guard(resource.update),
        updateStatus: guard(resource.updateStatus),
        patch: guard(resource.patch),
        delete: guard(resource.delete),
        deleteCollection: guard(resource.deleteCollection),
        createSubresource: <R>(...args: Parameters<typeof resource.createSubresource>): Promise<R> =>
          guard((...own: typeof args) => resource.createSubresource<R>(...own))(...args),
      };
    },
  };
}

function nodeOf(name: string, cpu: number): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec: {},
    status: { allocatable: { cpu: `${cpu}`, memory: '8Gi', pods: '110' } },
  };
}

function podOf(name: string, cpu: number): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: `${cpu}` } } }],
    },
  };
}

async function addNode(client: Client, name: string, cpu: number): Promise<void> {
  const node = nodeOf(name, cpu);
  const made = await client.for(nodes).create(node);
  const { status } = node;
  const ready = await client.for(nodes).updateStatus(status ? { ...made, status } : made);
  await client.for(nodes).update({ ...ready, spec: {} });
}

const cpuOf = ({ spec }: Pod): number => Number(spec.containers[0]?.resources?.requests?.['cpu'] ?? 0);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ node: fc.integer({ min: 2, max: 6 }) }) },
);

describe('the scheduler, with calls that fail and answers that get lost', () => {
  it('binds every pod once, never more to a node than it has, and all that fit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 30 }),
        fc.integer({ min: 0, max: 2 ** 30 }),
        async (steps, seed) => {
          const server = await startTestServer([]);
          const { client } = server;
          await client.for(serviceaccounts).create({
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: { name: 'default', namespace: 'default' },
          });
          const random = seededRandom(seed);
          const next = (): Fault => {
            const dice = random();
            if (dice < 0.15) return 'refused';
            if (dice < 0.3) return 'lost';
            return dice < 0.4 ? 'late' : 'none';
          };
          const unreliable = faulty(client, next);
          const informers = createInformers(unreliable, { clock: systemClock, freeze: true });
          const watching = createInformers(client, { clock: systemClock });
          const capacity = new Map<string, number>();
          const watched = new Map<string, Live<Pod>>();
          const wrong: string[] = [];
          watching.for(pods).addHandler({
            onAdd: (pod) => see(pod),
            onUpdate: (pod) => see(pod),
            onDelete: (pod) => void watched.delete(pod.metadata.uid),
          });
          const own = createScheduler(() => ({
            ...defaultSchedulerOptions(),
            podInitialBackoffMs: 10,
            podMaxBackoffMs: 50,
          }));
          const running = startControllers([own], {
            client: unreliable,
            informers,
            clock: systemClock,
          });
          watching.start();
          capacity.set('n0', 4);
          await addNode(client, 'n0', 4);
          let made = 0;
          for (const one of steps) {
            if ('add' in one) await client.for(pods).create(podOf(`p${made++}`, one.add));
            else if ('node' in one) {
              const name = `n${capacity.size}`;
              capacity.set(name, one.node);
              await addNode(client, name, one.node);
            } else {
              await client
                .for(pods)
                .delete({ namespace: 'default', name: `p${one.remove}` })
                .catch((error: unknown) => {
                  if (!isStatus(error, 'NotFound')) throw error;
                });
            }
          }
          await addNode(client, 'last', 100);
          capacity.set('last', 100);
          const final = await eventually(client, pods, (all) =>
            all.every(({ spec }) => spec.nodeName !== undefined),
          );
          await running.stop();
          await informers.stop();
          await watching.stop();
          await server.stop();
          expect(wrong).toEqual([]);
          expect(final.every(({ spec }) => capacity.has(spec.nodeName ?? ''))).toBe(true);

          function see(pod: Live<Pod>): void {
            const { uid, name } = pod.metadata;
            const before = watched.get(uid)?.spec.nodeName;
            const { nodeName } = pod.spec;
            if (before !== undefined && before !== nodeName) wrong.push(`${name} moved`);
            watched.set(uid, pod);
            if (nodeName === undefined) return;
            const used = [...watched.values()]
              .filter(({ spec }) => spec.nodeName === nodeName)
              .reduce((sum, other) => sum + cpuOf(other), 0);
            if (used > (capacity.get(nodeName) ?? 0)) wrong.push(`${nodeName} holds ${used}`);
          }
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  }, 60_000);
});

describe('a seed', () => {
  it('makes the same choices among equal nodes', async () => {
    const first = await choices(7);
    expect(await choices(7)).toEqual(first);
    expect([await choices(8), await choices(9)]).not.toEqual([first, first]);
  });

  async function choices(seed: number): Promise<readonly (string | undefined)[]> {
    const own = createScheduler(() => ({ ...defaultSchedulerOptions(), seed }));
    const server = await startTestServer([own]);
    const { client } = server;
    await client.for(serviceaccounts).create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    });
    for (let index = 0; index < 8; index++) await addNode(client, `n${index}`, 4);
    const placed: (string | undefined)[] = [];
    for (let index = 0; index < 6; index++) {
      const name = `p${index}`;
      await client.for(pods).create(podOf(name, 4));
      const list = await eventually(client, pods, (all) =>
        all.every(({ spec }) => spec.nodeName !== undefined),
      );
      placed.push(list.find(({ metadata }) => metadata.name === name)?.spec.nodeName);
    }
    await server.stop();
    return placed;
  }
});
