import { afterAll, beforeAll, expect, it } from 'vitest';
import { cronjobs, jobs, type CronJob, type Job, type JobStatus } from '../../api/batch/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import {
  startFaultBench,
  type Convergence,
  type FaultBench,
  type Place,
} from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { cronJobController } from './controller.ts';

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({ controllers: [cronJobController], bystanders: [] });
});
afterAll(async () => {
  await bench.stop();
});

const template: Job['spec']['template'] = {
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
};

async function createCronJob(
  { client, namespace }: Place,
  suspend: CronJob['spec']['suspend'],
): Promise<Live<CronJob>> {
  return await client.for(cronjobs).create({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick', namespace },
    spec: {
      schedule: '@every 1s',
      ...(suspend && { suspend }),
      startingDeadlineSeconds: 1000,
      concurrencyPolicy: 'Forbid',
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 0,
      jobTemplate: { spec: { template } },
    },
  });
}

const ended = (type: 'Complete' | 'Failed', minute: number): JobStatus => {
  const time = `2026-01-01T00:0${minute}:00Z`;
  const interim = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
  return {
    startTime: time,
    ...(type === 'Complete' && { completionTime: time }),
    conditions: [interim, type].map((one) => ({ type: one, status: 'True', lastTransitionTime: time })),
  };
};

/** A suspended cron job whose jobs have ended while nobody looked. */
const history: Convergence = {
  async arrange(place) {
    const { client, namespace } = place;
    const cronJob = await createCronJob(place, true);
    const made: Live<Job>[] = [];
    for (const [name, status] of Object.entries({
      c1: ended('Complete', 1),
      c2: ended('Complete', 2),
      f1: ended('Failed', 3),
      run: {},
    })) {
      const job = await client.for(jobs).create({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name, namespace, ownerReferences: [controllerReference(cronJob)] },
        spec: { template },
      });
      made.push(await client.for(jobs).updateStatus({ ...job, status }));
    }
    const active = [
      ...made.map(({ metadata }) => ({ name: metadata.name, uid: metadata.uid, namespace })),
      { name: 'gone', uid: 'g', namespace },
    ];
    await client.for(cronjobs).updateStatus({ ...cronJob, status: { active } });
  },
  async settle({ client, namespace }) {
    const names = (list: readonly Live<Job>[]): string =>
      list
        .map(({ metadata }) => metadata.name)
        .sort()
        .join();
    const left = await eventually(client, jobs, (list) => names(list) === 'c2,run', { namespace });
    const [one] = await eventually(
      client,
      cronjobs,
      ([first]) => first?.status?.active?.length === 1 && first.status.lastSuccessfulTime !== undefined,
      { namespace },
    );
    expect([one?.status?.active?.[0]?.name, one?.status?.lastSuccessfulTime, left.length]).toEqual([
      'run',
      '2026-01-01T00:02:00Z',
      2,
    ]);
  },
};

/** A cron job that is due now, and whose job then runs on: no other may start. */
const due: Convergence = {
  async arrange(place) {
    await createCronJob(place, undefined);
  },
  async settle({ client, namespace }) {
    const [job] = await eventually(client, jobs, (list) => list.length > 0, { namespace });
    const [one] = await eventually(client, cronjobs, ([first]) => first?.status?.active?.length === 1, {
      namespace,
    });
    expect(one?.status?.active).toMatchObject([
      { kind: 'Job', name: job?.metadata.name, uid: job?.metadata.uid },
    ]);
    expect(await client.for(jobs).list({ namespace })).toHaveProperty('items.length', 1);
  },
};

it.each<[string, Convergence]>([
  ['history is trimmed and the status is right', history],
  ['one job is started and known', due],
])('%s with any fault at any call', { timeout: 120_000 }, async (_, scenario) => {
  expect(await bench.playAll(scenario)).toBeGreaterThan(3);
});

it.each([1, 2, 3, 4])('and with many of them (seed %i)', { timeout: 30_000 }, async (seed) => {
  const faults = randomFaults(seed, { probability: 0.3, calls: 40 });
  expect(await bench.play(history, faults)).toBeGreaterThan(0);
});
