import { events, namespaces, nodes, pods, serviceaccounts, type Pod } from '../src/api/core/v1.gen.ts';
import { priorityclasses } from '../src/api/scheduling/v1.gen.ts';
import { systemClock } from '../src/base/clock.ts';
import type { Client } from '../src/client/client.ts';
import { createClient } from '../src/client/create-client.ts';
import type { KubeObject, Live } from '../src/machinery/object.ts';
import { createEventRecorder } from '../src/reconcile/create-event-recorder.ts';
import { createInformers } from '../src/reconcile/create-informers.ts';
import { startControllers } from '../src/reconcile/start-controllers.ts';
import { scheduler } from '../src/scheduler/scheduler.ts';
import { createTestApiServer } from '../src/server/test-api-server.ts';
import { createMemoryStore } from '../src/storage/memory/memory-store.ts';
import type { BenchRow } from './bench-row.ts';
import { podOf, workloads, type Workload } from './scheduler-workloads.ts';

export const name = 'scheduler: pods placed, one process with the API server, store in memory';

const sizes = [500, 1_000, 5_000] as const;
const zones = ['moon-1', 'moon-2', 'moon-3'];

/**
 * Pods per second from the start of a scheduler that finds them waiting, its caches filled, to the last binding that is
 * seen, on upstream's scheduler_perf workloads. Limit: the same bindings and events, written as fast as the server takes
 * them. `KANOE_BENCH_NODES=500,1000` and `KANOE_BENCH_WORKLOAD=basic` choose; `KANOE_BENCH_CPU=1` counts processor time.
 */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const only = process.env['KANOE_BENCH_WORKLOAD'];
  const some = process.env['KANOE_BENCH_NODES']?.split(',').map(Number);
  for (const size of some ?? sizes) {
    const limit = await withServer(size, (server) => writesOnly(server, size));
    for (const workload of workloads) {
      if (only !== undefined && only !== workload.name) continue;
      const perSecond = await withServer(size, (server) => measure(server, workload, size));
      report({
        what: `${workload.name}, ${size} nodes`,
        value: Math.round(perSecond),
        unit: '1/s',
        limit: Math.round(limit),
      });
    }
  }
}

async function measure(client: Client, workload: Workload, size: number): Promise<number> {
  const informers = createInformers(client, { clock: systemClock });
  const placed = countPlaced(informers.for(pods));
  const start = (): ReturnType<typeof startControllers> =>
    startControllers([scheduler], {
      client,
      informers,
      clock: systemClock,
      onFailure: ({ key, error }) => console.error(`${key}: ${String(error)}`),
    });
  const first = start();
  await informers.synced();
  const before = workload.before?.(size) ?? [];
  await createAll(client, before);
  await placed.reached(before.filter((pod) => !workload.stays?.(pod)).length);
  await first.stop();
  const measured = workload.pods(size);
  await createAll(client, measured);
  const known = new Set(measured.map(({ metadata }) => metadata.name));
  while (
    informers
      .for(pods)
      .list()
      .filter(({ metadata }) => known.has(metadata.name)).length < measured.length
  )
    await new Promise((resolve) => setImmediate(resolve));
  const expected = placed.count() + measured.length;
  const began = elapsed();
  const second = start();
  await placed.reached(expected);
  const seconds = (elapsed() - began) / 1000;
  await second.stop();
  await informers.stop();
  return measured.length / seconds;
}

async function writesOnly(client: Client, size: number): Promise<number> {
  const podClient = client.for(pods);
  const list = Array.from({ length: 1_000 }, (_, index) => podOf(`limit-${index}`));
  await createAll(client, list);
  const made = (await podClient.list({ namespace: 'sched-0' })).items;
  const recorder = createEventRecorder(client, { clock: systemClock, component: 'default-scheduler' });
  const informers = createInformers(client, { clock: systemClock });
  const recorded = informers.for(events);
  informers.start();
  await informers.synced();
  const start = elapsed();
  await inParallel(made, async (pod, index) => {
    const { name: podName, namespace = '' } = pod.metadata;
    const nodeName = `node-${index % size}`;
    await podClient.createSubresource({ namespace, name: podName }, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name: podName },
      target: { kind: 'Node', name: nodeName },
    });
    recorder.record(
      pod,
      'Normal',
      'Scheduled',
      `Successfully assigned ${namespace}/${podName} to ${nodeName}`,
    );
  });
  while (recorded.list().length < made.length) await new Promise((resolve) => setImmediate(resolve));
  await informers.stop();
  return (made.length * 1000) / (elapsed() - start);
}

/** Milliseconds; of processor time instead, when asked for, so that a machine that others use tells something too. */
function elapsed(): number {
  if (process.env['KANOE_BENCH_CPU'] === undefined) return systemClock.monotonic();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

interface Placed {
  count(): number;
  reached(count: number): Promise<void>;
}

function countPlaced(informer: ReturnType<ReturnType<typeof createInformers>['for']>): Placed {
  let total = 0;
  let waiting: { readonly count: number; readonly done: () => void } | undefined;
  const see = (next: Live<KubeObject>, previous?: Live<KubeObject>): void => {
    if (!nodeOf(next) || (previous && nodeOf(previous))) return;
    total++;
    if (waiting && total >= waiting.count) waiting.done();
  };
  informer.addHandler({ onAdd: (pod) => see(pod), onUpdate: see });
  return {
    count: () => total,
    reached: (count) =>
      new Promise((done) => {
        if (total >= count) done();
        else waiting = { count, done };
      }),
  };
}

function nodeOf(object: KubeObject): string | undefined {
  return (object as Pod).spec.nodeName;
}

async function createAll(client: Client, list: readonly Pod[]): Promise<void> {
  const podClient = client.for(pods);
  await inParallel(list, async (pod) => {
    await podClient.create(pod);
  });
}

async function inParallel<T>(
  list: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (next < list.length) {
        const index = next++;
        const item = list[index];
        if (item !== undefined) await work(item, index);
      }
    }),
  );
}

async function withServer(size: number, work: (client: Client) => Promise<number>): Promise<number> {
  const clock = systemClock;
  const store = createMemoryStore({ clock });
  const server = await createTestApiServer({ store, clock });
  const client = createClient(
    server.transport({ name: 'system:admin', groups: ['system:masters', 'system:authenticated'] }),
  );
  await seed(client, size);
  const result = await work(client);
  await server.close();
  await store.close();
  return result;
}

async function seed(client: Client, size: number): Promise<void> {
  for (const namespace of ['sched-0', 'sched-1']) {
    await client
      .for(namespaces)
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: {} });
    await client.for(serviceaccounts).create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    });
  }
  await client.for(priorityclasses).create({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  });
  const nodeClient = client.for(nodes);
  const amounts = { cpu: '4', memory: '32Gi', pods: '110' };
  const list = Array.from({ length: size }, (_, index) => index);
  await inParallel(list, async (index) => {
    const labels = {
      'kubernetes.io/hostname': `node-${index}`,
      'topology.kubernetes.io/zone': zones[index % zones.length] ?? '',
    };
    const node = await nodeClient.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `node-${index}`, labels },
      spec: {},
    });
    const ready = await nodeClient.updateStatus({
      ...node,
      status: {
        allocatable: amounts,
        capacity: amounts,
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
    if (ready.spec.taints) await nodeClient.update({ ...ready, spec: {} });
  });
}
