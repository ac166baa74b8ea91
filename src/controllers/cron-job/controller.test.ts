import { afterEach, beforeEach, expect, it } from 'vitest';
import { cronjobs, jobs, type CronJobSpec } from '../../api/batch/v1.gen.ts';
import { events, type PodTemplateSpec } from '../../api/core/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { cronJobController } from './controller.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer([cronJobController]);
});
afterEach(async () => {
  await server.stop();
});

async function createCronJob(spec: Partial<CronJobSpec>): Promise<void> {
  const template: PodTemplateSpec = {
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
  };
  await server.client.for(cronjobs).create({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { namespace: 'default', name: 'tick' },
    spec: { schedule: '@every 1s', jobTemplate: { spec: { template } }, ...spec },
  });
}

it('a job starts, is active, and is noted when it has completed', async () => {
  await createCronJob({ concurrencyPolicy: 'Forbid' });
  const [job] = await eventually(server.client, jobs, (list) => list.length === 1);
  if (!job) throw new Error('no job');
  const { metadata } = job;
  const [active] = await eventually(server.client, cronjobs, ([one]) => one?.status?.active?.length === 1);
  expect(active?.status?.active?.[0]).toMatchObject({ name: metadata.name, uid: metadata.uid, kind: 'Job' });
  const time = { lastTransitionTime: metadata.creationTimestamp, lastProbeTime: metadata.creationTimestamp };
  await server.client.for(jobs).updateStatus({
    ...job,
    status: {
      startTime: metadata.creationTimestamp,
      completionTime: metadata.creationTimestamp,
      conditions: [
        { type: 'SuccessCriteriaMet', status: 'True', ...time },
        { type: 'Complete', status: 'True', ...time },
      ],
    },
  });
  await eventually(
    server.client,
    cronjobs,
    ([one]) => one?.status?.lastSuccessfulTime === metadata.creationTimestamp,
  );
  await eventually(server.client, events, (list) => {
    const reasons = new Set(list.map(({ reason }) => reason));
    return ['SuccessfulCreate', 'SawCompletedJob'].every((reason) => reasons.has(reason));
  });
});
