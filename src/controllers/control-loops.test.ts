import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployments, replicasets, type Deployment } from '../api/apps/v1.gen.ts';
import { jobs, type Job } from '../api/batch/v1.gen.ts';
import {
  configmaps,
  endpoints,
  events,
  namespaces,
  nodes,
  pods,
  replicationcontrollers,
  serviceaccounts,
  services,
  type Namespace,
  type Node,
  type ReplicationController,
} from '../api/core/v1.gen.ts';
import { endpointslices } from '../api/discovery/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { eventually } from '../reconcile/eventually.ts';
import { fakeNode } from '../reconcile/fake-node.ts';
import { startTestServer, type TestServer } from '../reconcile/test-server.ts';
import { allControllers } from './catalog.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer([...allControllers({ ca: 'CA' }), fakeNode]);
  await eventually(server.client, serviceaccounts, (list) =>
    list.some(({ metadata }) => metadata.name === 'default' && metadata.namespace === 'default'),
  );
});
afterEach(async () => {
  await server.stop();
});

function deployment(image: string, replicas: number): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    },
  };
}

const template = (image: string): object => ({
  spec: { template: { spec: { containers: [{ name: 'c', image }] } } },
});

async function rolledOut(image: string, replicas: number): Promise<Live<Deployment>> {
  const [done] = await eventually(server.client, deployments, ([one]) => {
    const { status, metadata } = one ?? { metadata: {} };
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === replicas &&
      status.replicas === replicas &&
      status.availableReplicas === replicas &&
      status.conditions?.some(({ reason }) => reason === 'NewReplicaSetAvailable') === true
    );
  });
  const running = await eventually(server.client, pods, (list) => list.length === replicas);
  expect(running.map(({ spec }) => spec.containers[0]?.image)).toEqual(
    Array.from({ length: replicas }, () => image),
  );
  if (!done) throw new Error('the deployment is gone');
  return done;
}

async function patch(change: object): Promise<void> {
  await server.client
    .for(deployments)
    .patch({ namespace: 'default', name: 'web' }, change, { type: 'application/strategic-merge-patch+json' });
}

describe('a deployment', () => {
  it('is rolled out, scaled, changed, taken back and deleted with all it made', async () => {
    const { client } = server;
    await client.for(deployments).create(deployment('one', 3));
    await rolledOut('one', 3);
    await patch({ spec: { replicas: 5 } });
    await rolledOut('one', 5);
    await patch(template('two'));
    const second = await rolledOut('two', 5);
    await patch(template('one'));
    const third = await rolledOut('one', 5);
    const revision = 'deployment.kubernetes.io/revision';
    expect([second.metadata.annotations?.[revision], third.metadata.annotations?.[revision]]).toEqual([
      '2',
      '3',
    ]);
    const sets = await eventually(client, replicasets, (list) =>
      list.some(({ status }) => status?.replicas === 5),
    );
    expect(sets.map(({ spec }) => spec.replicas).sort()).toEqual([0, 5]);

    const told = await eventually(
      client,
      events,
      (list) => list.filter(({ reason }) => reason === 'ScalingReplicaSet').length > 3,
    );
    expect(told.find(({ involvedObject }) => involvedObject.kind === 'Deployment')).toMatchObject({
      reason: 'ScalingReplicaSet',
      message: expect.stringMatching(/^Scaled up replica set web-[a-z0-9]+ from 0 to 3$/) as string,
      source: { component: 'deployment-controller' },
      reportingComponent: 'deployment-controller',
    });

    await client.for(deployments).delete({ namespace: 'default', name: 'web' });
    await eventually(client, pods, (list) => list.length === 0);
    await eventually(client, replicasets, (list) => list.length === 0);
  });

  it('replaces a pod that is deleted', async () => {
    const { client } = server;
    await client.for(deployments).create(deployment('one', 2));
    await rolledOut('one', 2);
    const [victim] = (await client.for(pods).list()).items;
    await client.for(pods).delete({ namespace: 'default', name: victim?.metadata.name ?? '' });
    await eventually(
      client,
      pods,
      (list) => list.length === 2 && !list.some(({ metadata }) => metadata.uid === victim?.metadata.uid),
    );
    const healed = await rolledOut('one', 2);
    expect(healed.metadata.generation).toBe(1);
  });

  it('leaves its replica set behind when deleted as an orphan, and goes last in the foreground', async () => {
    const { client } = server;
    await client.for(deployments).create(deployment('one', 1));
    await rolledOut('one', 1);
    await client
      .for(deployments)
      .delete({ namespace: 'default', name: 'web' }, { propagationPolicy: 'Orphan' });
    await eventually(client, deployments, (list) => list.length === 0);
    const [orphan] = await eventually(
      client,
      replicasets,
      ([one]) => (one?.metadata.ownerReferences ?? []).length === 0,
    );
    expect(orphan?.status?.replicas).toBe(1);

    await client
      .for(replicasets)
      .delete(
        { namespace: 'default', name: orphan?.metadata.name ?? '' },
        { propagationPolicy: 'Foreground' },
      );
    await eventually(client, replicasets, (list) => list.length === 0);
    expect((await client.for(pods).list()).items).toEqual([]);
  });
});

describe('a replication controller', () => {
  it('keeps its pods, leaves them behind when deleted, and another one adopts them', async () => {
    const { client } = server;
    const at = { namespace: 'default', name: 'old' };
    const controller = (name: string): ReplicationController => ({
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name, namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { app: 'old' },
        template: {
          metadata: { labels: { app: 'old' } },
          spec: { containers: [{ name: 'c', image: 'one' }] },
        },
      },
    });
    const full = (list: readonly ReplicationController[]): boolean =>
      list.some(({ status }) => status?.readyReplicas === 2 && status.replicas === 2);
    await client.for(replicationcontrollers).create(controller('old'));
    await eventually(client, replicationcontrollers, full);
    const first = await eventually(client, pods, (list) => list.length === 2);
    expect(first[0]?.metadata.ownerReferences).toMatchObject([
      { apiVersion: 'v1', kind: 'ReplicationController', name: 'old', controller: true },
    ]);
    await client.for(pods).delete({ namespace: 'default', name: first[0]?.metadata.name ?? '' });
    await eventually(
      client,
      pods,
      (list) => list.length === 2 && list.every(({ metadata }) => metadata.uid !== first[0]?.metadata.uid),
    );
    await eventually(client, replicationcontrollers, full);
    await client.for(replicationcontrollers).delete(at);
    await eventually(client, pods, (list) => list.every(({ metadata }) => !metadata.ownerReferences?.length));
    await client.for(replicationcontrollers).create(controller('new'));
    const left = await eventually(client, pods, (list) =>
      list.every(({ metadata }) => metadata.ownerReferences?.[0]?.name === 'new'),
    );
    expect(left).toHaveLength(2);
  });
});

describe('a job', () => {
  function job(image: string, spec: Partial<Job['spec']> = {}): Job {
    return {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'sum', namespace: 'default' },
      spec: { ...spec, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image }] } } },
    };
  }

  it('is complete when its pods are, each counted once', async () => {
    await server.client
      .for(jobs)
      .create(job('once', { completions: 4, parallelism: 2, completionMode: 'Indexed' }));
    const [done] = await eventually(
      server.client,
      jobs,
      ([one]) => one?.status?.completionTime !== undefined,
    );
    expect(done?.status).toMatchObject({
      succeeded: 4,
      completedIndexes: '0-3',
      uncountedTerminatedPods: {},
    });
    const left = await eventually(server.client, pods, (list) =>
      list.every(({ metadata }) => !metadata.finalizers?.length),
    );
    expect(left).toHaveLength(4);
    await server.client
      .for(jobs)
      .delete({ namespace: 'default', name: 'sum' }, { propagationPolicy: 'Background' });
    await eventually(server.client, pods, (list) => list.length === 0);
  });

  it('fails at its back-off limit', async () => {
    await server.client.for(jobs).create(job('broken', { backoffLimit: 0 }));
    const [done] = await eventually(
      server.client,
      jobs,
      ([one]) => one?.status?.conditions?.some(({ type }) => type === 'Failed') === true,
    );
    expect(done?.status).toMatchObject({
      failed: 1,
      conditions: [
        { type: 'FailureTarget', reason: 'BackoffLimitExceeded' },
        {
          type: 'Failed',
          reason: 'BackoffLimitExceeded',
          message: 'Job has reached the specified backoff limit',
        },
      ],
    });
  });
});

describe('a service', () => {
  it('gets endpoints and slices that follow its pods', async () => {
    const { client } = server;
    await client.for(services).create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    });
    await client.for(deployments).create(deployment('one', 2));
    const ours = { labelSelector: 'kubernetes.io/service-name=web' };
    await eventually(
      client,
      endpointslices,
      ([slice]) => slice?.endpoints.filter(({ conditions }) => conditions?.ready).length === 2,
      ours,
    );
    await eventually(
      client,
      endpoints,
      (list) => list.find(({ metadata }) => metadata.name === 'web')?.subsets?.[0]?.addresses?.length === 2,
    );
    await patch({ spec: { replicas: 0 } });
    await eventually(client, endpointslices, ([slice]) => slice?.endpoints.length === 0, ours);
    await client.for(services).delete({ namespace: 'default', name: 'web' });
    await eventually(client, endpointslices, (list) => list.length === 0, ours);
    const left = await eventually(
      client,
      endpoints,
      (list) => !list.some(({ metadata }) => metadata.name === 'web'),
    );
    expect(left).toEqual([]);
  });
});

describe('a namespace', () => {
  it('starts with a service account and the root CA, and is emptied when deleted', async () => {
    const { client } = server;
    await client
      .for(namespaces)
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' }, spec: {} });
    await eventually(client, serviceaccounts, (list) =>
      list.some(({ metadata }) => metadata.namespace === 'team'),
    );
    const [ca] = await eventually(client, configmaps, (list) => list.length > 0, { namespace: 'team' });
    expect([ca?.metadata.name, ca?.data]).toEqual(['kube-root-ca.crt', { 'ca.crt': 'CA' }]);
    const web = deployment('one', 2);
    await client.for(deployments).create({ ...web, metadata: { name: 'web', namespace: 'team' } });
    await eventually(client, pods, (list) => list.length === 2, { namespace: 'team' });
    await client.for(namespaces).delete({ name: 'team' });
    await eventually(client, namespaces, (list) => !list.some(({ metadata }) => metadata.name === 'team'));
    expect((await client.for(pods).list({ namespace: 'team' })).items).toEqual([]);
  });

  it('loses its pods before anything else', async () => {
    const { client } = server;
    const finalizers = ['example.com/hold'];
    const namespace = 'team';
    await client
      .for(namespaces)
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: {} });
    await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
    await client
      .for(configmaps)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace } });
    const containers = [{ name: 'main', image: 'x' }];
    await client.for(pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'held', namespace, finalizers },
      spec: { containers },
    });
    await client.for(namespaces).delete({ name: namespace });
    const told = (list: readonly Live<Namespace>[]): readonly (string | undefined)[] =>
      list
        .filter(({ metadata }) => metadata.name === namespace)
        .flatMap(({ status }) => status?.conditions ?? [])
        .filter(({ status }) => status === 'True')
        .map(({ message }) => message);
    const waiting = await eventually(client, namespaces, (list) => told(list).length === 2);
    expect(told(waiting)).toEqual([
      'Some resources are remaining: pods. has 1 resource instances',
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ]);
    expect((await client.for(configmaps).list({ namespace })).items).toHaveLength(2);
    await client
      .for(pods)
      .patch(
        { namespace, name: 'held' },
        { metadata: { finalizers: null } },
        { type: 'application/merge-patch+json' },
      );
    await eventually(client, namespaces, (list) => !list.some(({ metadata }) => metadata.name === namespace));
    expect((await client.for(configmaps).list({ namespace })).items).toEqual([]);
  });
});

describe('a node', () => {
  it('is tainted until it is ready', async () => {
    const { client } = server;
    const node = (name: string, status: string): Node => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      spec: {},
      status: { conditions: [{ type: 'Ready', status }] },
    });
    await client.for(nodes).create(node('other', 'True'));
    await client.for(nodes).create(node('n', 'False'));
    const options = { fieldSelector: 'metadata.name=n' };
    const [fresh] = await eventually(client, nodes, ([one]) => one?.spec.taints?.length === 2, options);
    const current = await client.for(nodes).get({ name: 'n' });
    await client.for(nodes).updateStatus({ ...current, status: node('n', 'True').status ?? {} });
    const [ready] = await eventually(client, nodes, ([one]) => !one?.spec.taints, options);
    expect([
      fresh?.spec.taints?.map(({ key, effect }) => `${key}:${effect}`).sort(),
      ready?.metadata.annotations,
    ]).toEqual([
      ['node.kubernetes.io/not-ready:NoExecute', 'node.kubernetes.io/not-ready:NoSchedule'],
      { 'node.alpha.kubernetes.io/ttl': '0' },
    ]);
  });
});
