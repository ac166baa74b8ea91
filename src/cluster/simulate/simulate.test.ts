import { describe, expect, it } from 'vitest';
import { customresourcedefinitions } from '../../api/apiextensions/v1.gen.ts';
import { nodes, pods, type Node } from '../../api/core/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { NODE_ANNOTATION, stages } from '../../node/simulated/kwok/stage.ts';
import { createWorld } from './simulated-world.ts';
import { simulate } from './simulate.ts';
import type { Findings, WhatIf } from './what-if.ts';

const START = Date.UTC(2026, 0, 1);

function node(name: string, zone: string, cpu = '4'): Node & KubeObject {
  const amounts = { cpu, memory: '8Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'topology.kubernetes.io/zone': zone, 'kubernetes.io/hostname': name } },
    spec: {},
    status: { capacity: amounts, allocatable: amounts },
  };
}

function workload(kind: string, replicas: number, cpu: string): KubeObject {
  const labels = { app: kind.toLowerCase() };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }] },
  };
  const object = {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: kind.toLowerCase(), namespace: 'shop' },
    spec: { selector: { matchLabels: labels }, template, ...(kind === 'Deployment' && { replicas }) },
  };
  return object;
}

function ask(question: Partial<WhatIf>): Promise<Findings> {
  return simulate(
    { objects: [], manifests: [], lostZones: [], lostNodes: [], groups: [], ...question },
    {
      startMs: START,
      signal: new AbortController().signal,
      seed: 'test',
      report: () => undefined,
      onProblem: (problem) => {
        throw new Error(problem);
      },
    },
  );
}

describe('simulate', { timeout: 60_000 }, () => {
  it('places what fits and says why the rest does not', async () => {
    const found = await ask({
      objects: [node('a', 'a'), node('b', 'b')],
      manifests: [workload('Deployment', 9, '1')],
    });
    expect(found).toMatchObject({ fits: false, pods: { placed: 8, pending: 1, lost: 0 } });
    expect(found.pending[0]?.reason).toContain('0/2 nodes are available: 2 Insufficient cpu.');
    expect(found.nodes.map(({ name, cpu }) => [name, cpu.percent])).toEqual([
      ['a', 100],
      ['b', 100],
    ]);
  });

  it('moves the pods of a lost zone, and loses those that nobody makes anew', async () => {
    const bare: KubeObject & { readonly spec: object } = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bare', namespace: 'shop' },
      spec: { nodeName: 'a', containers: [{ name: 'c', image: 'x' }] },
    };
    const found = await ask({
      objects: [node('a', 'a'), node('b', 'b'), workload('Deployment', 4, '1'), bare],
      lostZones: ['a'],
    });
    expect(found).toMatchObject({ fits: false, pods: { placed: 4, pending: 0, lost: 1 }, lostNodes: ['a'] });
    expect(found.lost).toMatchObject([{ namespace: 'shop', name: 'bare' }]);
  });

  it('makes pods anew whose owner the snapshot lacks, but not those of a daemon', async () => {
    const owned = (name: string, kind: string): KubeObject & { readonly spec: object } => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'shop',
        uid: `uid of ${name}`,
        ownerReferences: [
          { apiVersion: 'example.com/v1', kind, name: 'o', uid: 'elsewhere', controller: true },
        ],
      },
      spec: { nodeName: 'a', containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '3' } } }] },
    });
    const found = await ask({
      objects: [
        node('a', 'a', '20'),
        node('b', 'b'),
        owned('p', 'Rollout'),
        owned('q', 'Rollout'),
        owned('d', 'DaemonSet'),
      ],
      lostNodes: ['a'],
    });
    expect(found).toMatchObject({ fits: false, pods: { placed: 1, pending: 1, lost: 0 } });
    expect(found.pending).toMatchObject([{ namespace: 'shop', owner: 'Rollout/o' }]);
  });

  it('moves no pod only because the snapshot lacks replica sets and revisions', async () => {
    const template = (name: string): object => ({
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1' } } }] },
    });
    const set = (kind: string): KubeObject & { readonly spec: object } => ({
      apiVersion: 'apps/v1',
      kind,
      metadata: { name: kind.toLowerCase(), namespace: 'shop', uid: kind },
      spec: {
        selector: { matchLabels: { app: kind } },
        template: template(kind),
        ...(kind === 'Deployment' && { replicas: 2 }),
        ...(kind === 'StatefulSet' && { replicas: 2, serviceName: 's' }),
      },
    });
    const podOf = (name: string, owner: object, labels: object): KubeObject & { readonly spec: object } => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'shop',
        uid: name,
        labels: { ...labels },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: '', name: '', uid: '', controller: true, ...owner }],
      },
      spec: {
        nodeName: 'a',
        containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1' } } }],
      },
    });
    const replicaSet = { kind: 'ReplicaSet', name: 'deployment-abc', uid: 'gone' };
    const found = await ask({
      objects: [
        node('a', 'a', '20'),
        node('b', 'b', '20'),
        ...['Deployment', 'StatefulSet', 'DaemonSet'].map(set),
        ...['x', 'y'].map((end) =>
          podOf(`deployment-abc-${end}`, replicaSet, { app: 'Deployment', 'pod-template-hash': 'abc' }),
        ),
        ...['0', '1'].map((end) =>
          podOf(
            `statefulset-${end}`,
            { kind: 'StatefulSet', name: 'statefulset', uid: 'StatefulSet' },
            {
              app: 'StatefulSet',
              'controller-revision-hash': 'statefulset-77',
              'statefulset.kubernetes.io/pod-name': `statefulset-${end}`,
            },
          ),
        ),
        podOf(
          'daemonset-x',
          { kind: 'DaemonSet', name: 'daemonset', uid: 'DaemonSet' },
          { app: 'DaemonSet', 'controller-revision-hash': '77' },
        ),
      ],
    });
    expect(found).toMatchObject({ fits: true, pods: { placed: 6, pending: 0, lost: 0 } });
    expect(found.nodes.map(({ name, pods: { requested } }) => [name, requested])).toEqual([
      ['a', '5'],
      ['b', '1'],
    ]);
  });

  it('knows where volumes are that are bound', async () => {
    const zoned = (zone: string): object => ({
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: [zone] }] },
      ],
    });
    const volume: KubeObject & { readonly spec: object; readonly status: object } = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: {
        name: 'pv',
        uid: 'pv',
        annotations: { 'pv.kubernetes.io/provisioned-by': 'csi.example.com' },
      },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        csi: { driver: 'csi.example.com', volumeHandle: 'v' },
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          namespace: 'shop',
          name: 'data-db-0',
          uid: 'c',
        },
        nodeAffinity: { required: zoned('a') },
      },
      status: { phase: 'Bound' },
    };
    const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const claim: KubeObject & { readonly spec: object; readonly status: object } = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: 'data-db-0',
        namespace: 'shop',
        uid: 'c',
        annotations: { 'pv.kubernetes.io/bind-completed': 'yes' },
      },
      spec: { ...claimSpec, volumeName: 'pv', storageClassName: '' },
      status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } },
    };
    const set: KubeObject & { readonly spec: object } = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'shop', uid: 's' },
      spec: {
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { ...claimSpec, storageClassName: '' } }],
        template: {
          metadata: { labels: { app: 'db' } },
          spec: { containers: [{ name: 'c', image: 'x' }] },
        },
      },
    };
    const objects = [node('a', 'a'), node('a2', 'a'), node('b', 'b'), volume, claim, set];
    expect(await ask({ objects, lostNodes: ['a'] })).toMatchObject({ fits: true, pods: { placed: 1 } });
    const found = await ask({ objects, lostZones: ['a'] });
    expect(found).toMatchObject({ fits: false, pods: { placed: 0, pending: 1 } });
    expect(found.pending[0]?.reason).toContain("1 node(s) didn't match PersistentVolume's node affinity");
  });

  it('adds as many nodes of a group as are needed, daemons first', async () => {
    const found = await ask({
      objects: [node('a', 'a'), workload('DaemonSet', 0, '500m')],
      manifests: [workload('Deployment', 10, '1')],
      groups: [{ name: 'big', template: node('big', 'c'), min: 0, max: 10 }],
    });
    expect(found).toMatchObject({ fits: true, nodesToAdd: [{ group: 'big', count: 3 }] });
    expect(found.nodes.filter(({ group }) => group === 'big')).toHaveLength(3);
  });

  it('adds no nodes that would not help', async () => {
    const found = await ask({
      objects: [node('a', 'a')],
      manifests: [workload('Deployment', 1, '16')],
      groups: [{ name: 'small', template: node('small', 'c'), min: 0, max: 10 }],
    });
    expect(found).toMatchObject({
      fits: false,
      pods: { pending: 1 },
      nodesToAdd: [{ group: 'small', count: 0 }],
    });
  });
});

describe('the simulated world', { timeout: 60_000 }, () => {
  /** When each of some pods began to run, by stages with jitter and weights. */
  async function history(seed: string): Promise<unknown> {
    const world = await createWorld({
      startMs: START,
      serviceCidr: '10.0.0.0/8',
      seed,
      onProblem: (error) => {
        throw error;
      },
    });
    try {
      await world.start();
      const { client } = world;
      const ready = await client.for(stages).get({ name: 'pod-ready' });
      for (const [name, weight] of [
        ['slow', 1],
        ['slower', 3],
      ] as const)
        await client.for(stages).create({
          ...ready,
          metadata: { name },
          spec: {
            ...ready.spec,
            weight,
            delay: { durationMilliseconds: 1000, jitterDurationMilliseconds: 30_000 * weight },
          },
        });
      await client.for(stages).delete({ name: 'pod-ready' });
      await client.for(nodes).create({
        ...node('n', 'a'),
        metadata: { name: 'n', annotations: { [NODE_ANNOTATION]: 'fake' } },
      });
      for (let at = 0; at < 8; at++)
        await client.for(pods).create({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: `p${at}`, namespace: 'default' },
          spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x' }] },
        });
      await world.settle(10 * 60_000);
      const { items } = await client.for(pods).list();
      return items.map(({ metadata, status }) => [metadata.name, status?.phase, status?.startTime]);
    } finally {
      await world.close();
    }
  }

  it('has the same history for the same seed, and another for another', async () => {
    const first = await history('one');
    expect(first).toHaveLength(8);
    expect(await history('one')).toEqual(first);
    expect(await history('two')).not.toEqual(first);
  });

  it('plays stages on a kind that is defined later', async () => {
    const world = await createWorld({
      startMs: START,
      serviceCidr: '10.0.0.0/8',
      seed: 'one',
      onProblem: () => undefined,
    });
    try {
      const { client } = world;
      await world.start();
      await world.settle(60_000);
      await client.for(stages).create({
        apiVersion: 'kwok.x-k8s.io/v1alpha1',
        kind: 'Stage',
        metadata: { name: 'car-drives' },
        spec: {
          resourceRef: { apiGroup: 'example.com/v1', kind: 'Car' },
          selector: { matchExpressions: [{ key: '.status.drives', operator: 'DoesNotExist' }] },
          next: { patches: [{ root: 'status', subresource: 'status', template: 'drives: true' }] },
        },
      });
      await world.settle(60_000);
      const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
      await client.for(customresourcedefinitions).create({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'cars.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'cars', kind: 'Car' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: { openAPIV3Schema: schema },
            },
          ],
        },
      });
      await world.settle(60_000);
      const car = { group: 'example.com', version: 'v1', resource: 'cars', namespace: 'default' };
      await client.transport.request({
        ...car,
        verb: 'create',
        body: { apiVersion: 'example.com/v1', kind: 'Car', metadata: { name: 'c', namespace: 'default' } },
      });
      await world.settle(60_000);
      const driven = await client.transport.request({ ...car, verb: 'get', name: 'c' });
      expect(driven).toMatchObject({ status: { drives: true } });
    } finally {
      await world.close();
    }
  });
});
