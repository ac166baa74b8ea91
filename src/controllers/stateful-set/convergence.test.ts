import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  controllerrevisions,
  statefulsets,
  type StatefulSet,
  type StatefulSetSpec,
} from '../../api/apps/v1.gen.ts';
import {
  persistentvolumeclaims,
  pods,
  serviceaccounts,
  type Pod,
  type PodTemplateSpec,
} from '../../api/core/v1.gen.ts';
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
import { garbageCollector } from '../garbage-collector/controller.ts';
import { newRevision } from '../revisions/plan.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { claimProtectionController } from '../storage-protection/claim-protection.ts';
import { statefulSetController } from './controller.ts';
import { claimsOf, memberPod } from './identity.ts';

let bench: FaultBench;

beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [statefulSetController],
    bystanders: [fakeNode, serviceAccountController, garbageCollector, claimProtectionController],
  });
});
afterAll(async () => {
  await bench.stop();
});

const template = (image: string): PodTemplateSpec => ({
  metadata: { labels: { app: 'db' } },
  spec: { containers: [{ name: 'c', image }] },
});

interface Start {
  readonly spec: Partial<StatefulSetSpec>;
  /** Ordinal → image of pods of an earlier revision that are there already, with their claims. */
  readonly members: ReadonlyMap<number, string>;
}

const storage = { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '1Mi' } } };

function setOf(namespace: string, { spec }: Start): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace },
    spec: {
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: template('new'),
      volumeClaimTemplates: [
        { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: storage },
      ],
      ...spec,
    },
  };
}

function startingFrom(start: Start): Convergence {
  return {
    async arrange({ client, namespace }) {
      const set = await client.for(statefulsets).create(setOf(namespace, start));
      await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
      if (start.members.size === 0) return;
      const old = await client
        .for(controllerrevisions)
        .create(
          newRevision(
            { ...set, spec: { ...set.spec, template: template('old') } },
            { revision: 1, collisionCount: 0, hashLabel: 'controller.kubernetes.io/hash' },
          ),
        );
      for (const [ordinal, image] of start.members) {
        for (const { claim } of claimsOf(set, ordinal))
          await client.for(persistentvolumeclaims).create(claim);
        const made = { template: template(image), revision: old.metadata.name };
        await client.for(pods).create(memberPod(set, ordinal, made));
      }
    },
    settle: (place) => expectSettled(place, start),
  };
}

async function expectSettled({ client, namespace }: Place, { spec }: Start): Promise<void> {
  const { replicas = 1, ordinals, persistentVolumeClaimRetentionPolicy: policy } = spec;
  const wanted = Array.from({ length: replicas }, (_, index) => `db-${(ordinals?.start ?? 0) + index}`);
  const isDone = ({ status, metadata }: Live<StatefulSet>): boolean =>
    status?.observedGeneration === metadata.generation &&
    [status?.replicas, status?.readyReplicas ?? 0, status?.updatedReplicas ?? 0].every(
      (n) => n === replicas,
    ) &&
    status?.currentRevision === status?.updateRevision;
  await eventually(client, statefulsets, (list) => list.every(isDone), { namespace });
  const isNew = (pod: Live<Pod>): boolean =>
    pod.spec.containers[0]?.image === 'new' && pod.metadata.deletionTimestamp === undefined;
  await eventually(
    client,
    pods,
    (list) =>
      list.every(isNew) &&
      sameNames(
        list.map(({ metadata }) => metadata.name),
        wanted,
      ),
    { namespace },
  );
  const claims = wanted.map((name) => `data-${name}`);
  await eventually(
    client,
    persistentvolumeclaims,
    (list) => {
      const names = list.map(({ metadata }) => metadata.name);
      const owned = list.filter(({ metadata }) => claims.includes(metadata.name));
      const owners = policy?.whenDeleted === 'Delete' ? 1 : 0;
      return (
        (policy?.whenScaled === 'Delete'
          ? sameNames(names, claims)
          : claims.every((one) => names.includes(one))) &&
        owned.every(({ metadata }) => (metadata.ownerReferences ?? []).length === owners)
      );
    },
    { namespace },
  );
  const revisions = await client.for(controllerrevisions).list({ namespace });
  expect(new Set(revisions.items.map(({ revision }) => revision)).size).toBe(revisions.items.length);
}

function sameNames(actual: readonly string[], wanted: readonly string[]): boolean {
  return actual.length === wanted.length && wanted.every((name) => actual.includes(name));
}

describe('a stateful set', () => {
  it('is updated and shrunk with any fault at any call', { timeout: 60_000 }, async () => {
    const start: Start = {
      spec: {
        replicas: 2,
        persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' },
      },
      members: new Map([
        [0, 'old'],
        [1, 'broken'],
        [2, 'old'],
      ]),
    };
    expect(await bench.playAll(startingFrom(start))).toBeGreaterThan(20);
  });

  it.each(['OrderedReady', 'Parallel'] as const)(
    'settles when two fight (%s)',
    { timeout: 30_000 },
    async (podManagementPolicy) => {
      const members = new Map([
        [0, 'old'],
        [3, 'broken'],
      ]);
      const start: Start = { spec: { replicas: 3, podManagementPolicy }, members };
      for (let run = 0; run < 3; run++) expect(await bench.fight(startingFrom(start))).toBeGreaterThan(0);
    },
  );

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'settles from a random state under random faults (seed %i)',
    { timeout: 30_000 },
    async (seed) => {
      const random = mulberry32(seed * 104_729);
      const pick = <T>(...options: readonly T[]): T | undefined =>
        options[Math.floor(random() * options.length)];
      const members = new Map<number, string>();
      const podManagementPolicy = pick<'OrderedReady' | 'Parallel'>('OrderedReady', 'Parallel') ?? 'Parallel';
      for (let ordinal = 0; ordinal < 5; ordinal++) {
        if (random() < 0.6) members.set(ordinal, pick('old', 'old', 'once', 'broken') ?? 'old');
      }
      const start: Start = {
        spec: {
          replicas: Math.floor(random() * 4),
          podManagementPolicy,
          ordinals: { start: pick(0, 0, 2) ?? 0 },
          persistentVolumeClaimRetentionPolicy: {
            whenScaled: pick('Retain', 'Delete') ?? 'Retain',
            whenDeleted: pick('Retain', 'Delete') ?? 'Retain',
          },
        },
        members,
      };
      const faults = randomFaults(seed, { probability: 0.25, calls: 60 });
      expect(await bench.play(startingFrom(start), faults)).toBeGreaterThan(0);
    },
  );
});
