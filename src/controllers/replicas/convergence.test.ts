import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  pods,
  replicationcontrollers,
  serviceaccounts,
  type Pod,
  type ReplicationController,
} from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { fakeNode } from '../../reconcile/fake-node.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { mulberry32, randomFaults } from '../../reconcile/faulty-transport.ts';
import { controllerOf, controllerReference } from '../../reconcile/owner.ts';
import { replicationController } from '../replication-controller/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';

let bench: FaultBench;

beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [replicationController],
    bystanders: [fakeNode, serviceAccountController],
  });
});
afterAll(async () => {
  await bench.stop();
});

/** How many pods there are already, by whose they are and whether their labels are selected. */
interface Start {
  readonly replicas: number;
  readonly owned: number;
  readonly toAdopt: number;
  readonly toRelease: number;
  readonly broken: number;
}

function startingFrom(start: Start): Convergence {
  return {
    async arrange({ client, namespace }) {
      await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
      const containers = [{ name: 'c', image: 'app' }];
      const owner = await client.for(replicationcontrollers).create({
        apiVersion: 'v1',
        kind: 'ReplicationController',
        metadata: { name: 'rc', namespace },
        spec: {
          replicas: start.replicas,
          selector: { app: 'rc' },
          template: { metadata: { labels: { app: 'rc' } }, spec: { containers } },
        },
      });
      const pod = (app: string, image: string, owned: 'owned' | 'free'): Pod => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          generateName: 'rc-',
          namespace,
          labels: { app },
          ...(owned === 'owned' && { ownerReferences: [controllerReference(owner)] }),
        },
        spec: { containers: [{ name: 'c', image }] },
      });
      const drafts = [
        ...Array.from({ length: start.owned }, () => pod('rc', 'app', 'owned')),
        ...Array.from({ length: start.toAdopt }, () => pod('rc', 'app', 'free')),
        ...Array.from({ length: start.toRelease }, () => pod('other', 'app', 'owned')),
        ...Array.from({ length: start.broken }, () => pod('rc', 'broken', 'owned')),
      ];
      for (const draft of drafts) await client.for(pods).create(draft);
    },
    async settle({ client, namespace }) {
      const isDone = ({ status, metadata }: Live<ReplicationController>): boolean =>
        status?.observedGeneration === metadata.generation &&
        [status?.replicas, status?.readyReplicas ?? 0, status?.availableReplicas ?? 0].every(
          (count) => count === start.replicas,
        );
      await eventually(client, replicationcontrollers, (list) => list.every(isDone), { namespace });
      const running = (list: readonly Live<Pod>[]): readonly Live<Pod>[] =>
        list.filter((pod) => pod.metadata.labels?.['app'] === 'rc' && pod.status?.phase === 'Running');
      const left = await eventually(client, pods, (list) => running(list).length === start.replicas, {
        namespace,
      });
      expect(running(left).every((pod) => controllerOf(pod)?.name === 'rc')).toBe(true);
      const released = left.filter(({ metadata }) => metadata.labels?.['app'] === 'other');
      expect(released.map((pod) => controllerOf(pod))).toEqual(
        Array.from({ length: start.toRelease }, () => undefined),
      );
    },
  };
}

describe('a replication controller', () => {
  it('has its pods with any fault at any call', { timeout: 60_000 }, async () => {
    const start = { replicas: 2, owned: 1, toAdopt: 3, toRelease: 1, broken: 1 };
    expect(await bench.playAll(startingFrom(start))).toBeGreaterThan(10);
  });

  it('has its pods when two fight', { timeout: 30_000 }, async () => {
    const start = { replicas: 4, owned: 1, toAdopt: 1, toRelease: 1, broken: 1 };
    for (let run = 0; run < 3; run++) expect(await bench.fight(startingFrom(start))).toBeGreaterThan(0);
  });

  it.each(Array.from({ length: 8 }, (_, seed) => seed))(
    'settles from a random state under random faults (seed %i)',
    { timeout: 30_000 },
    async (seed) => {
      const random = mulberry32(seed * 32_452_843);
      const upTo = (most: number): number => Math.floor(random() * (most + 1));
      const start = {
        replicas: upTo(4),
        owned: upTo(5),
        toAdopt: upTo(2),
        toRelease: upTo(2),
        broken: upTo(2),
      };
      const faults = randomFaults(seed, { probability: 0.25, calls: 60 });
      expect(await bench.play(startingFrom(start), faults)).toBeGreaterThan(0);
    },
  );
});
