import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployments, replicasets, type Deployment, type ReplicaSet } from '../../api/apps/v1.gen.ts';
import { pods, serviceaccounts, type Pod, type PodTemplateSpec } from '../../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { fakeNode } from '../../reconcile/fake-node.ts';
import {
  startFaultBench,
  type Convergence,
  type FaultBench,
  type Place,
} from '../../reconcile/fault-bench.ts';
import { mulberry32, randomFaults } from '../../reconcile/faulty-transport.ts';
import { controllerOf, controllerReference } from '../../reconcile/owner.ts';
import { garbageCollector } from '../garbage-collector/controller.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { deploymentController } from './controller.ts';

let bench: FaultBench;

beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [deploymentController, replicaSetController],
    bystanders: [fakeNode, serviceAccountController, garbageCollector],
  });
});
afterAll(async () => {
  await bench.stop();
});

const template = (image: string): PodTemplateSpec => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image }] },
});

/** What a run starts from. */
interface Start {
  readonly spec: Partial<Deployment['spec']>;
  /** Image → size of replica sets that are there already; the deployment's own is `new`. */
  readonly owned: Readonly<Record<string, number>>;
  /** Sizes of replica sets that fit the selector and belong to nobody. */
  readonly orphans: Readonly<Record<string, number>>;
}

const replicasOf = ({ spec }: Start): number => spec.replicas ?? 2;

function startingFrom(start: Start): Convergence {
  return {
    async arrange({ client, namespace }) {
      const deployment = await client.for(deployments).create({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: 'web' } },
          template: template('new'),
          ...start.spec,
        },
      });
      for (const [image, size] of Object.entries(start.owned))
        await arrangeReplicaSet({ client, namespace }, { image, size, owner: deployment });
      for (const [image, size] of Object.entries(start.orphans))
        await arrangeReplicaSet({ client, namespace }, { image, size });
    },
    settle: (place) => expectRolledOut(place, replicasOf(start)),
  };
}

async function arrangeReplicaSet(
  { client, namespace }: Place,
  { image, size, owner }: { image: string; size: number; owner?: Live<KubeObject> },
): Promise<void> {
  const labels = { app: 'web', 'pod-template-hash': image };
  const made = { metadata: { labels }, spec: template(image).spec };
  const replicaSet: Live<ReplicaSet> = await client.for(replicasets).create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `web-${image}`,
      namespace,
      labels,
      ...(owner && { ownerReferences: [controllerReference(owner)] }),
    },
    spec: { replicas: size, selector: { matchLabels: labels }, template: made },
  });
  await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
  for (let index = 0; index < size; index++) {
    await client.for(pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        generateName: `web-${image}-`,
        namespace,
        labels,
        ownerReferences: [controllerReference(replicaSet)],
      },
      spec: made.spec,
    });
  }
}

async function expectRolledOut({ client, namespace }: Place, replicas: number): Promise<void> {
  const isDone = ({ status, metadata }: Live<Deployment>): boolean =>
    status?.observedGeneration === metadata.generation &&
    (status?.updatedReplicas ?? 0) === replicas &&
    (status?.replicas ?? 0) === replicas &&
    (status?.availableReplicas ?? 0) === replicas &&
    status?.conditions?.some(({ reason }) => reason === 'NewReplicaSetAvailable') === true;
  await eventually(client, deployments, (list) => list.every(isDone), { namespace });
  const isNew = ({ spec, metadata }: Live<Pod>): boolean =>
    spec.containers[0]?.image === 'new' && metadata.deletionTimestamp === undefined;
  await eventually(client, pods, (list) => list.length === replicas && list.every(isNew), { namespace });
  const sets = await eventually(
    client,
    replicasets,
    (list) => list.every(({ spec, status }) => status?.replicas === spec.replicas),
    { namespace },
  );
  expect(sets.every((one) => controllerOf(one)?.kind === 'Deployment')).toBe(true);
  expect(sets.filter(({ spec }) => spec.template?.spec.containers[0]?.image === 'new')).toHaveLength(1);
  expect(sets.map(({ spec }) => spec.replicas).sort()).toEqual([...sets.slice(1).map(() => 0), replicas]);
}

const rolling: Start = { spec: { replicas: 3 }, owned: { old: 3 }, orphans: {} };

describe('a deployment and its replica sets', () => {
  it('are rolled out with any fault at any call', { timeout: 60_000 }, async () => {
    expect(await bench.playAll(startingFrom(rolling))).toBeGreaterThan(20);
  });

  it('are rolled out by two who fight', { timeout: 30_000 }, async () => {
    for (let run = 0; run < 3; run++)
      expect(await bench.fight(startingFrom({ ...rolling, orphans: { older: 2 } }))).toBeGreaterThan(0);
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'settle from a random state under random faults (seed %i)',
    { timeout: 30_000 },
    async (seed) => {
      const random = mulberry32(seed * 7919);
      const upTo = (most: number): number => Math.floor(random() * (most + 1));
      const start: Start = {
        spec: {
          replicas: upTo(3),
          strategy:
            random() < 0.3
              ? { type: 'Recreate' }
              : { type: 'RollingUpdate', rollingUpdate: { maxSurge: upTo(2), maxUnavailable: 1 + upTo(1) } },
        },
        owned: { ...(random() < 0.7 && { old: upTo(4) }), ...(random() < 0.4 && { new: upTo(4) }) },
        orphans: random() < 0.4 ? { older: upTo(2) } : {},
      };
      const faults = randomFaults(seed, { probability: 0.25, calls: 60 });
      expect(await bench.play(startingFrom(start), faults)).toBeGreaterThan(0);
    },
  );
});
