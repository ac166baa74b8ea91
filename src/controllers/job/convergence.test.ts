import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobs, type Job, type JobSpec } from '../../api/batch/v1.gen.ts';
import { pods, serviceaccounts, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { fakeNode } from '../../reconcile/fake-node.ts';
import {
  startFaultBench,
  type Convergence,
  type FaultBench,
  type Place,
} from '../../reconcile/fault-bench.ts';
import { mulberry32, randomFaults } from '../../reconcile/faulty-transport.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { garbageCollector } from '../garbage-collector/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { jobController } from './controller.ts';
import { hasTrackingFinalizer, indexAnnotation, trackingFinalizer } from './job-state.ts';

let bench: FaultBench;

beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [jobController],
    bystanders: [fakeNode, serviceAccountController, garbageCollector],
  });
});
afterAll(async () => {
  await bench.stop();
});

/** A pod that a run starts with; what it has counted before cannot be seen. */
interface Leftover {
  readonly image: string;
  readonly index?: number;
  readonly tracked: boolean;
}

interface Start {
  readonly image: string;
  readonly spec: Partial<JobSpec>;
  readonly leftovers?: readonly Leftover[];
}

function startingFrom({ image, spec, leftovers = [] }: Start, settle: Convergence['settle']): Convergence {
  return {
    async arrange({ client, namespace }) {
      const job = await client.for(jobs).create({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'sum', namespace },
        spec: {
          completions: 3,
          parallelism: 2,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image }] } },
          ...spec,
        },
      });
      await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
      for (const leftover of leftovers) await client.for(pods).create(leftoverPod(job, leftover));
    },
    settle,
  };
}

function leftoverPod(job: Live<Job>, { image, index, tracked }: Leftover): Pod {
  const { namespace = '' } = job.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'sum-',
      namespace,
      labels: job.spec.template.metadata?.labels ?? {},
      ownerReferences: [controllerReference(job)],
      ...(tracked && { finalizers: [trackingFinalizer] }),
      ...(index !== undefined && { annotations: { [indexAnnotation]: String(index) } }),
    },
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image }] },
  };
}

/** Waits until a job has that condition and keeps no pod back; returns its status and its pods. */
async function ended(
  { client, namespace }: Place,
  type: string,
): Promise<{ status: NonNullable<Job['status']>; left: readonly Live<Pod>[] }> {
  const is = ({ status }: Job): boolean =>
    (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
  const [job] = await eventually(client, jobs, (list) => list.every(is), { namespace });
  const left = await eventually(client, pods, (list) => !list.some(hasTrackingFinalizer), { namespace });
  return { status: job?.status ?? {}, left };
}

const succeeded = (left: readonly Pod[]): number =>
  left.filter(({ status }) => status?.phase === 'Succeeded').length;

const completes: Convergence['settle'] = async (place) => {
  const { status, left } = await ended(place, 'Complete');
  expect(status.uncountedTerminatedPods).toEqual({});
  expect(status.succeeded).toBeGreaterThanOrEqual(3);
  expect(status.succeeded).toBeLessThanOrEqual(succeeded(left));
  expect(status).not.toHaveProperty('active');
};

const completesIndexes: Convergence['settle'] = async (place) => {
  const { status } = await ended(place, 'Complete');
  expect(status).toMatchObject({ completedIndexes: '0-2', succeeded: 3, uncountedTerminatedPods: {} });
};

const fails: Convergence['settle'] = async (place) => {
  const { status, left } = await ended(place, 'Failed');
  expect(status.failed).toBeGreaterThanOrEqual(1);
  expect(left.filter((pod) => pod.status?.phase === 'Running')).toEqual([]);
};

const failsIndexes: Convergence['settle'] = async (place) => {
  const { status } = await ended(place, 'Failed');
  expect(status).toMatchObject({ failedIndexes: '0-2', uncountedTerminatedPods: {} });
};

const suspends: Convergence['settle'] = async (place) => {
  const { status } = await ended(place, 'Suspended');
  const { client, namespace } = place;
  await eventually(client, pods, (list) => list.length === 0, { namespace });
  expect(status).not.toHaveProperty('startTime');
};

const Indexed = { completionMode: 'Indexed' } as const;

describe('a job ends as it should with any fault at any call', () => {
  it.each<[string, Start, Convergence['settle']]>([
    ['complete', { image: 'once', spec: {} }, completes],
    ['complete, index by index', { image: 'once', spec: Indexed }, completesIndexes],
    ['failed', { image: 'broken', spec: { backoffLimit: 0 } }, fails],
    [
      'failed, index by index',
      { image: 'broken', spec: { ...Indexed, backoffLimitPerIndex: 0, parallelism: 3 } },
      failsIndexes,
    ],
    [
      'suspended',
      { image: 'run', spec: { suspend: true }, leftovers: [{ image: 'run', tracked: true }] },
      suspends,
    ],
  ])('%s', { timeout: 90_000 }, async (_, start, settle) => {
    expect(await bench.playAll(startingFrom(start, settle))).toBeGreaterThan(5);
  });
});

describe('a job ends as it should from a random state under random faults', () => {
  it.each(Array.from({ length: 10 }, (_, seed) => seed))('seed %i', { timeout: 30_000 }, async (seed) => {
    const random = mulberry32(seed * 7919);
    const upTo = (most: number): number => Math.floor(random() * (most + 1));
    const indexed = random() < 0.5;
    const leftovers = Array.from({ length: upTo(4) }, () => {
      // What runs for ever must not have an index of the job: it would never be done.
      const idle = indexed && random() < 0.5;
      const index = idle ? 3 + upTo(1) : upTo(4);
      const image = idle ? 'run' : 'once';
      return { image, tracked: random() < 0.7, ...(indexed && random() < 0.8 && { index }) };
    });
    const spec: Partial<JobSpec> = indexed ? { ...Indexed, parallelism: 1 + upTo(3) } : { parallelism: 3 };
    const settle = indexed ? completesIndexes : completes;
    const start = { image: 'once', spec, leftovers };
    const faults = randomFaults(seed, { probability: 0.25, calls: 60 });
    expect(await bench.play(startingFrom(start, settle), faults)).toBeGreaterThan(0);
  });
});
