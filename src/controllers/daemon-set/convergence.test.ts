import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  controllerrevisions,
  daemonsets,
  type DaemonSet,
  type DaemonSetSpec,
} from '../../api/apps/v1.gen.ts';
import { nodes, pods, serviceaccounts, type Pod, type PodTemplateSpec } from '../../api/core/v1.gen.ts';
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
import { podFromTemplate } from '../pods/pod-from-template.ts';
import { newRevision } from '../revisions/plan.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { daemonSetController } from './controller.ts';
import { daemonTemplate, targetNode } from './placement.ts';

let bench: FaultBench;

/** Nodes of all runs; each run's pods go to some of them. */
const nodeNames = ['n1', 'n2', 'n3', 'n4'];

beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [daemonSetController],
    bystanders: [fakeNode, serviceAccountController, garbageCollector],
  });
});
afterAll(async () => {
  await bench.stop();
});

const template = (image: string): PodTemplateSpec => ({
  metadata: { labels: { app: 'ds' } },
  spec: {
    containers: [{ name: 'c', image }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'role', operator: 'In', values: ['worker'] }] }],
        },
      },
    },
  },
});

interface Start {
  readonly strategy: NonNullable<DaemonSetSpec['updateStrategy']>;
  /** Node → images of pods of earlier revisions there. */
  readonly pods: Readonly<Record<string, readonly string[]>>;
}

function startingFrom(start: Start): Convergence {
  return {
    async arrange({ client, namespace }) {
      for (const name of nodeNames) await arrangeNode(client, name);
      await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
      const set = await client.for(daemonsets).create({
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'ds', namespace },
        spec: {
          selector: { matchLabels: { app: 'ds' } },
          template: template('new'),
          updateStrategy: start.strategy,
        },
      });
      await arrangePods({ client, namespace }, set, start);
    },
    settle: expectSettled,
  };
}

async function arrangeNode(client: Place['client'], name: string): Promise<void> {
  const known = await client.for(nodes).list({ fieldSelector: `metadata.name=${name}` });
  if (known.items.length > 0) return;
  const labels = { role: name === 'n4' ? 'other' : 'worker' };
  const node = await client
    .for(nodes)
    .create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} });
  await client.for(nodes).update({ ...node, spec: { ...node.spec, taints: [] } });
}

async function arrangePods({ client }: Place, set: Live<DaemonSet>, start: Start): Promise<void> {
  const old = { ...set, spec: { ...set.spec, template: template('old') } };
  const options = { revision: 1, collisionCount: 0, hashLabel: 'controller-revision-hash' };
  const revision = await client.for(controllerrevisions).create(newRevision(old, options));
  for (const [node, images] of Object.entries(start.pods)) {
    for (const image of images) {
      const pod = podFromTemplate(daemonTemplate(template(image), node), set);
      const labels = {
        ...pod.metadata.labels,
        'controller-revision-hash': revision.metadata.labels?.['controller-revision-hash'] ?? '',
      };
      await client.for(pods).create({ ...pod, metadata: { ...pod.metadata, labels } });
    }
  }
}

async function expectSettled({ client, namespace }: Place): Promise<void> {
  const isDone = ({ status, metadata }: Live<DaemonSet>): boolean =>
    status?.observedGeneration === metadata.generation &&
    status?.desiredNumberScheduled === 3 &&
    status.numberReady === 3 &&
    status.updatedNumberScheduled === 3 &&
    status.numberAvailable === 3 &&
    status.numberMisscheduled === 0;
  await eventually(client, daemonsets, (list) => list.every(isDone), { namespace });
  const isNew = (pod: Live<Pod>): boolean =>
    pod.spec.containers[0]?.image === 'new' && pod.metadata.deletionTimestamp === undefined;
  const left = await eventually(client, pods, (list) => list.length === 3 && list.every(isNew), {
    namespace,
  });
  expect(left.map(targetNode).sort()).toEqual(['n1', 'n2', 'n3']);
}

const rolling = (maxUnavailable: number, maxSurge: number): Start['strategy'] => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxUnavailable, maxSurge },
});

describe('a daemon set', () => {
  it('is updated with any fault at any call', { timeout: 60_000 }, async () => {
    const start = { strategy: rolling(1, 0), pods: { n1: ['old'], n2: ['old', 'old'], n4: ['old'] } };
    expect(await bench.playAll(startingFrom(start))).toBeGreaterThan(15);
  });

  it('surges with any fault at any call', { timeout: 60_000 }, async () => {
    const start = { strategy: rolling(0, 1), pods: { n1: ['old'], n2: ['broken'], n3: ['old'] } };
    expect(await bench.playAll(startingFrom(start))).toBeGreaterThan(15);
  });

  it('settles when two fight', { timeout: 30_000 }, async () => {
    for (const strategy of [rolling(2, 0), rolling(0, 2)]) {
      const start = { strategy, pods: { n1: ['old'], n2: ['old', 'unready'], n4: ['old'] } };
      expect(await bench.fight(startingFrom(start))).toBeGreaterThan(0);
    }
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'settles from a random state under random faults (seed %i)',
    { timeout: 30_000 },
    async (seed) => {
      const random = mulberry32(seed * 15_485_863);
      const images = (): readonly string[] =>
        ['old', 'old', 'unready', 'broken', 'once'].filter(() => random() < 0.35);
      const start: Start = {
        strategy:
          random() < 0.5
            ? rolling(1 + Math.floor(random() * 2), 0)
            : rolling(0, 1 + Math.floor(random() * 2)),
        pods: Object.fromEntries(nodeNames.map((name) => [name, images()])),
      };
      const faults = randomFaults(seed, { probability: 0.25, calls: 60 });
      expect(await bench.play(startingFrom(start), faults)).toBeGreaterThan(0);
    },
  );
});
