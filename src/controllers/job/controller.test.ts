import { afterEach, beforeEach, expect, it } from 'vitest';
import { jobs, type Job, type JobSpec } from '../../api/batch/v1.gen.ts';
import { pods, serviceaccounts } from '../../api/core/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { fakeNode } from '../../reconcile/fake-node.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { garbageCollector } from '../garbage-collector/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { jobController } from './controller.ts';
import { hasTrackingFinalizer, trackingFinalizer } from './job-state.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer([serviceAccountController, garbageCollector, fakeNode, jobController]);
  await eventually(server.client, serviceaccounts, (list) =>
    list.some(({ metadata }) => metadata.namespace === 'default'),
  );
});
afterEach(async () => {
  await server.stop();
});

const place = { namespace: 'default', name: 'sum' };

async function createJob(image: string, spec: Partial<JobSpec> = {}): Promise<void> {
  const template: Job['spec']['template'] = {
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image }] },
  };
  await server.client.for(jobs).create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: place,
    spec: { template, parallelism: 2, completions: 2, ...spec },
  });
}

it('pods of a job that is deleted without them are let go of', async () => {
  await createJob('run');
  const running = await eventually(server.client, pods, (list) => list.length === 2);
  expect(running.every(hasTrackingFinalizer)).toBe(true);
  await server.client.for(jobs).delete(place, { propagationPolicy: 'Orphan' });
  const left = await eventually(server.client, pods, (list) =>
    list.every(({ metadata }) => !metadata.ownerReferences && !metadata.finalizers),
  );
  expect(left).toHaveLength(2);
});

it.each(['Background', 'Foreground'] as const)('pods go with their job (%s)', async (propagationPolicy) => {
  await createJob('run');
  await eventually(server.client, pods, (list) => list.length === 2);
  await server.client.for(jobs).delete(place, { propagationPolicy });
  expect(await eventually(server.client, pods, (list) => list.length === 0)).toEqual([]);
});

it('a pod that claims to be tracked by nobody is let go of', async () => {
  await server.client.for(pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'stray', namespace: 'default', finalizers: [trackingFinalizer] },
    spec: { containers: [{ name: 'c', image: 'run' }] },
  });
  const [stray] = await eventually(server.client, pods, ([one]) => one?.metadata.finalizers === undefined);
  expect(stray?.metadata.name).toBe('stray');
});

it('a job that somebody else manages is left alone', async () => {
  await createJob('once', { managedBy: 'example.org/other' });
  await server.client.for(jobs).create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { namespace: 'default', name: 'ours' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'once' }] } } },
  });
  const list = await eventually(server.client, jobs, (all) =>
    all.some(({ status }) => status?.conditions?.some(({ type }) => type === 'Complete')),
  );
  expect(list.find(({ metadata }) => metadata.name === 'sum')?.status).toEqual({});
});
