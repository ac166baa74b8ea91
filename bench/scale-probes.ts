import { replicasets } from '../src/api/apps/v1.gen.ts';
import { namespaces, pods, type Pod } from '../src/api/core/v1.gen.ts';
import type { Client } from '../src/client/client.ts';
import type { KubeObject, ResourceType } from '../src/machinery/object.ts';
import { quantile } from './bench-row.ts';
import { createDeployment, pause, rolledOut, scaleDeployment } from './simulated-load.ts';
import { watchMoments } from './watched-moments.ts';

const namespace = 'probes';
const rounds = 20;
const waitMs = 60_000;

/** Milliseconds: the median, and what one in a hundred exceeds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

function latency(times: readonly number[]): Latency {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** The namespace that probes work in. */
export async function prepareProbes(client: Client): Promise<void> {
  await client
    .for(namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: {} });
}

/** A hundred GETs a second, eight at once at most, each counted from when it was due. */
export async function getLatency(count: number, get: (at: number) => Promise<unknown>): Promise<Latency> {
  const started = performance.now();
  const times: number[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      const due = started + at * 10;
      await pause(due - performance.now());
      await get(at);
      times.push(performance.now() - due);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return latency(times);
}

/** LISTs of the first pages of 500, one after the other. */
export async function pageLatency<T extends KubeObject>(
  client: Client,
  type: ResourceType<T>,
): Promise<Latency> {
  const times: number[] = [];
  let next = '';
  for (let page = 0; page < rounds; page++) {
    const started = performance.now();
    const { metadata } = await client.for(type).list({ limit: 500, ...(next !== '' && { continue: next }) });
    times.push(performance.now() - started);
    next = metadata.continue ?? '';
  }
  return latency(times);
}

/** How long it takes until a pod that is alone in coming has been created, has a node, and runs. */
export interface PodTimes {
  readonly created: Latency;
  readonly scheduled: Latency;
  readonly running: Latency;
}

export async function podTimes(client: Client): Promise<PodTimes> {
  const resource = client.for(pods);
  const seen = await watchMoments(client, pods, namespace);
  const created: number[] = [];
  const scheduled: number[] = [];
  const running: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const name = `probe-${round}-${Date.now()}`;
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { containers: [{ name: 'main', image: 'anything' }] },
    };
    const bound = seen.when(({ metadata, spec }) => metadata.name === name && spec.nodeName !== undefined);
    const runs = seen.when(({ metadata, status }) => metadata.name === name && status?.phase === 'Running');
    const started = performance.now();
    await resource.create(pod);
    created.push(performance.now() - started);
    scheduled.push((await bound) - started);
    running.push((await runs) - started);
    await resource.delete({ namespace, name }, { gracePeriodSeconds: 0 });
  }
  seen.stop();
  return { created: latency(created), scheduled: latency(scheduled), running: latency(running) };
}

/** How long after a Deployment was scaled its ReplicaSet is, and how long after the same moment the new pod is there. */
export interface ControllerLag {
  readonly replicaSet: Latency;
  readonly pod: Latency;
}

export async function controllerLag(client: Client): Promise<ControllerLag> {
  const name = `probe-${Date.now()}`;
  const limitMs = waitMs;
  await createDeployment(client, { namespace, name, replicas: 0 });
  await rolledOut(client, { namespace, name, limitMs });
  const sets = await watchMoments(client, replicasets, namespace);
  const made = await watchMoments(client, pods, namespace);
  const known = new Set<string>();
  const toReplicaSet: number[] = [];
  const toPod: number[] = [];
  for (let replicas = 1; replicas <= rounds; replicas++) {
    const scaled = sets.when(({ spec }) => spec?.replicas === replicas);
    const added = made.when(({ metadata }) => {
      const isNew = metadata.labels?.['app'] === name && !known.has(metadata.name);
      if (isNew) known.add(metadata.name);
      return isNew;
    });
    await scaleDeployment(client, { namespace, name, replicas });
    const started = performance.now();
    toReplicaSet.push(Math.max(0, (await scaled) - started));
    toPod.push(Math.max(0, (await added) - started));
    await rolledOut(client, { namespace, name, limitMs });
  }
  sets.stop();
  made.stop();
  await scaleDeployment(client, { namespace, name, replicas: 0 });
  await rolledOut(client, { namespace, name, limitMs });
  return { replicaSet: latency(toReplicaSet), pod: latency(toPod) };
}
