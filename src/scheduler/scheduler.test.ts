import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { events, nodes, pods, serviceaccounts, type Node, type Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { eventually } from '../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../reconcile/test-server.ts';
import { scheduler } from './scheduler.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer([scheduler]);
  await server.client.for(serviceaccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
});
afterEach(async () => {
  await server.stop();
});

async function addNode(name: string, allocatable: Readonly<Record<string, string>>): Promise<void> {
  const resource = server.client.for(nodes);
  const node = await resource.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
  const status: Node['status'] = {
    allocatable,
    capacity: allocatable,
    conditions: [{ type: 'Ready', status: 'True' }],
  };
  const ready = await resource.updateStatus({ ...node, status });
  await resource.update({ ...ready, spec: {} });
}

function pod(name: string, cpu: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] },
  };
}

const roomy = { cpu: '4', memory: '8Gi', pods: '110' };

function nodeOf(list: readonly Live<Pod>[], name: string): string | undefined {
  return list.find(({ metadata }) => metadata.name === name)?.spec.nodeName;
}

describe('the scheduler', () => {
  it('binds a pod and tells of it', async () => {
    const { client } = server;
    await addNode('n', roomy);
    await client.for(pods).create(pod('a', '1'));
    const [bound] = await eventually(client, pods, (list) => nodeOf(list, 'a') === 'n');
    const [told] = await eventually(client, events, (list) => list.length > 0);
    expect([bound?.status?.conditions?.map(({ type, status }) => `${type}=${status}`), told]).toMatchObject([
      ['PodScheduled=True'],
      {
        reason: 'Scheduled',
        type: 'Normal',
        message: 'Successfully assigned default/a to n',
        source: { component: 'default-scheduler' },
      },
    ]);
  });

  it('says why a pod has to wait, and places it when a node comes', async () => {
    const { client } = server;
    await addNode('small', { ...roomy, cpu: '500m' });
    await client.for(pods).create(pod('a', '1'));
    const [waiting] = await eventually(client, pods, ([one]) => (one?.status?.conditions ?? []).length > 0);
    expect(waiting?.status?.conditions?.[0]).toMatchObject({
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message:
        '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    });
    await addNode('big', roomy);
    await eventually(client, pods, (list) => nodeOf(list, 'a') === 'big');
  });

  it('places a pod where another made room', async () => {
    const { client } = server;
    await addNode('n', roomy);
    await client.for(pods).create(pod('a', '3'));
    await eventually(client, pods, (list) => nodeOf(list, 'a') === 'n');
    await client.for(pods).create(pod('b', '3'));
    await eventually(client, events, (list) => list.some(({ reason }) => reason === 'FailedScheduling'));
    await client.for(pods).delete({ namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 });
    const list = await eventually(client, pods, (all) => nodeOf(all, 'b') === 'n');
    expect(list).toHaveLength(1);
  });

  it('never promises more than a node has, however fast pods come', async () => {
    const { client } = server;
    await addNode('n', roomy);
    await Promise.all(
      Array.from({ length: 12 }, (_, number) => client.for(pods).create(pod(`p${number}`, '1'))),
    );
    const list = await eventually(client, pods, (all) =>
      all.every(({ spec, status }) => spec.nodeName || (status?.conditions ?? []).length > 0),
    );
    expect(list.filter(({ spec }) => spec.nodeName === 'n')).toHaveLength(4);
  });

  it('leaves pods of another scheduler, and gated ones, alone', async () => {
    const { client } = server;
    await addNode('n', roomy);
    const other = pod('other', '1');
    await client.for(pods).create({ ...other, spec: { ...other.spec, schedulerName: 'mine' } });
    const gated = pod('gated', '1');
    await client
      .for(pods)
      .create({ ...gated, spec: { ...gated.spec, schedulingGates: [{ name: 'example.com/wait' }] } });
    await client.for(pods).create(pod('ours', '1'));
    const list = await eventually(client, pods, (all) => nodeOf(all, 'ours') === 'n');
    expect([nodeOf(list, 'other'), nodeOf(list, 'gated')]).toEqual([undefined, undefined]);
    await client
      .for(pods)
      .patch(
        { namespace: 'default', name: 'gated' },
        { spec: { schedulingGates: null } },
        { type: 'application/merge-patch+json' },
      );
    await eventually(client, pods, (all) => nodeOf(all, 'gated') === 'n');
  });
});
