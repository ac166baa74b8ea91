import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  events,
  nodes,
  pods,
  serviceaccounts,
  type Node,
  type Pod,
  type PodSpec,
} from '../../api/core/v1.gen.ts';
import { poddisruptionbudgets } from '../../api/policy/v1.gen.ts';
import { priorityclasses } from '../../api/scheduling/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { scheduler } from '../scheduler.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer([scheduler]);
  const { client } = server;
  await client.for(serviceaccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  for (const [name, value, preemptionPolicy] of [
    ['low', 1, 'PreemptLowerPriority'],
    ['middle', 10, 'PreemptLowerPriority'],
    ['high', 100, 'PreemptLowerPriority'],
    ['polite', 100, 'Never'],
  ] as const) {
    await client.for(priorityclasses).create({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      preemptionPolicy,
    });
  }
});
afterEach(async () => {
  await server.stop();
});

async function addNode(name: string, cpu: string): Promise<void> {
  const resource = server.client.for(nodes);
  const node = await resource.create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
  const allocatable = { cpu, memory: '8Gi', pods: '110' };
  const status: Node['status'] = { allocatable, capacity: allocatable };
  const ready = await resource.updateStatus({ ...node, status });
  await resource.update({ ...ready, spec: {} });
}

async function addPod(name: string, cpu: string, spec: Partial<PodSpec>): Promise<void> {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }],
      ...spec,
    },
  };
  await server.client.for(pods).create(pod);
}

async function placed(name: string): Promise<Pod | undefined> {
  const list = await eventually(server.client, pods, (all) =>
    all.some(({ metadata, spec }) => metadata.name === name && spec.nodeName !== undefined),
  );
  return list.find(({ metadata }) => metadata.name === name);
}

async function names(): Promise<string[]> {
  const { items } = await server.client.for(pods).list();
  return items.map(({ metadata }) => metadata.name).sort();
}

describe('preemption', () => {
  it('removes less important pods, no more than needed, and says so', async () => {
    await addNode('n', '4');
    await addPod('small', '1', { priorityClassName: 'low' });
    await addPod('large', '3', { priorityClassName: 'low' });
    await placed('small');
    await placed('large');
    await addPod('urgent', '3', { priorityClassName: 'high' });
    await placed('urgent');
    expect(await names()).toEqual(['small', 'urgent']);
    const [told] = (
      await eventually(server.client, events, (all) => all.some(({ reason }) => reason === 'Preempted'))
    ).filter(({ reason }) => reason === 'Preempted');
    expect(told).toMatchObject({
      type: 'Normal',
      involvedObject: { name: 'large' },
      message: expect.stringMatching(/^Preempted by pod [0-9a-f-]{36} on node n$/),
    });
  });

  it('marks victims, nominates the node, and waits for them to go', async () => {
    await addNode('n', '4');
    await addPod('slow', '4', { priorityClassName: 'low', terminationGracePeriodSeconds: 30 });
    await placed('slow');
    await addPod('urgent', '4', { priorityClassName: 'high' });
    const list = await eventually(server.client, pods, (all) =>
      all.some(({ metadata, status }) => metadata.name === 'urgent' && status?.nominatedNodeName === 'n'),
    );
    const [going] = await eventually(server.client, pods, (all) =>
      all.some(({ metadata }) => metadata.deletionTimestamp !== undefined),
    ).then((all) => all.filter(({ metadata }) => metadata.name === 'slow'));
    expect(list.find(({ metadata }) => metadata.name === 'urgent')?.spec.nodeName).toBeUndefined();
    expect(going?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'default-scheduler: preempting to accommodate a higher priority pod',
    });
    await addPod('thief', '4', { priorityClassName: 'middle' });
    await eventually(server.client, pods, (all) =>
      all.some(({ metadata, status }) => metadata.name === 'thief' && status?.conditions?.length === 1),
    );
    await server.client.for(pods).delete({ namespace: 'default', name: 'slow' }, { gracePeriodSeconds: 0 });
    await placed('urgent');
    expect(await names()).toEqual(['thief', 'urgent']);
  });

  it('spares what a budget protects while others can go', async () => {
    await addNode('a', '2');
    await addNode('b', '2');
    await addPod('guarded', '2', { priorityClassName: 'low', nodeName: 'a' });
    await addPod('free', '2', { priorityClassName: 'middle', nodeName: 'b' });
    const budgets = server.client.for(poddisruptionbudgets);
    await budgets.create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'guard', namespace: 'default' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
    });
    await addPod('urgent', '2', { priorityClassName: 'high' });
    await placed('urgent');
    expect(await names()).toEqual(['guarded', 'urgent']);
  });

  it.each<[string, Partial<PodSpec>, string, string]>([
    [
      'when the pod says never',
      { priorityClassName: 'polite' },
      '2',
      'not eligible due to preemptionPolicy=Never.',
    ],
    [
      'not among equals',
      { priorityClassName: 'low' },
      '2',
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ],
    [
      'not when nothing would help',
      { priorityClassName: 'high' },
      '5',
      '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    ],
  ])('does not happen: %s', async (_, spec, cpu, why) => {
    await addNode('n', '4');
    await addPod('other', '3', { priorityClassName: 'low' });
    await placed('other');
    await addPod('p', cpu, spec);
    const list = await eventually(server.client, pods, (all) =>
      all.some(({ metadata, status }) => metadata.name === 'p' && (status?.conditions ?? []).length > 0),
    );
    const condition = list.find(({ metadata }) => metadata.name === 'p')?.status?.conditions?.[0];
    expect(condition?.message).toBe(
      `0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: ${why}`,
    );
    expect(await names()).toEqual(['other', 'p']);
  });
});
