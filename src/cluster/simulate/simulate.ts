import { namespaces, type Node } from '../../api/core/v1.gen.ts';
import { createRestMapper, discover } from '../../client/discovery.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { isConditionTrue } from '../../reconcile/conditions.ts';
import { NODE_ANNOTATION } from '../../node/simulated/kwok/stage.ts';
import { restoreSnapshot, withoutAddresses } from '../snapshot/restore-snapshot.ts';
import { addNodes } from './add-nodes.ts';
import { completeSnapshot } from './complete-snapshot.ts';
import { createWorld, type SimulatedWorld } from './simulated-world.ts';
import { loseNodes } from './lose-nodes.ts';
import { nodeFindings, pendingPod, rememberingOwner, survey } from './survey.ts';
import type { Findings, PodFinding, WhatIf } from './what-if.ts';

export interface SimulateOptions {
  readonly startMs: number;
  readonly signal: AbortSignal;
  readonly seed: string;
  readonly report: (step: string) => void;
  readonly onProblem: (problem: string) => void;
}

/** How much simulated time one change may take until its consequences are there. */
const PATIENCE_MS = 15 * 60_000;

/**
 * Answers what would become of a cluster: its objects are put into a world of their own, where the real controllers and
 * the real scheduler work on simulated nodes. Then nodes are lost, workloads are added, and nodes of groups are added
 * until all pods have one.
 */
export async function simulate(question: WhatIf, options: SimulateOptions): Promise<Findings> {
  const { report, signal, onProblem } = options;
  const world = await createWorld({
    startMs: options.startMs,
    serviceCidr: '10.0.0.0/8',
    seed: options.seed,
    onProblem: (error) => onProblem(textOf(error)),
  });
  try {
    report(`loading ${question.objects.length} objects …`);
    await load(world, completeSnapshot(question.objects), { signal, onProblem });
    report('letting it settle …');
    await world.start();
    await world.settle(PATIENCE_MS);
    const before = await survey(world.client);
    const { lostNodes, lost } = await loseNodes(world.client, question);
    if (lostNodes.length > 0) {
      report(`without ${lostNodes.length} nodes …`);
      await world.settle(PATIENCE_MS);
    }
    if (question.manifests.length > 0) {
      report(`with ${question.manifests.length} more objects …`);
      await load(world, question.manifests, { signal, onProblem });
      await world.settle(PATIENCE_MS);
    }
    const added = await addNodes(world, question.groups, { patienceMs: PATIENCE_MS, report, signal });
    const after = await survey(world.client);
    const missing = await missingPods(world);
    const pending = [...after.pending.map(pendingPod), ...missing];
    return {
      fits: pending.length === 0 && lost.length === 0,
      pods: {
        placed: after.placed.length,
        pending: pending.length,
        pendingBefore: before.pending.length,
        lost: lost.length,
      },
      pending,
      lost,
      lostNodes,
      nodesToAdd: added.counts,
      nodes: nodeFindings(after, (name) => added.groupOf.get(name)),
    };
  } finally {
    await world.close();
  }
}

async function load(
  { client }: SimulatedWorld,
  objects: readonly KubeObject[],
  { signal, onProblem }: { readonly signal: AbortSignal; readonly onProblem: (problem: string) => void },
): Promise<void> {
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  const present = new Set((await client.for(namespaces).list()).items.map(({ metadata }) => metadata.name));
  for (const { kind, metadata } of objects) if (kind === 'Namespace') present.add(metadata.name ?? '');
  const absent = new Set(
    objects.flatMap(({ metadata }) => metadata.namespace ?? []).filter((name) => !present.has(name)),
  );
  await restoreSnapshot(
    client,
    [
      ...[...absent].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...objects.map((object) => prepared(rememberingOwner(object, uids))),
    ],
    {
      signal,
      mapper: async () => createRestMapper(await discover(client.transport)),
      onFailure: ({ kind, metadata }, error) => onProblem(`${kind} ${metadata.name ?? ''}: ${textOf(error)}`),
    },
  );
}

/** Nodes that were ready are simulated; the others stay as they are. Addresses of services do not matter. */
function prepared(object: KubeObject): KubeObject {
  if (object.kind === 'Node' && object.apiVersion === 'v1') {
    const node = object as Node;
    const annotations = { ...node.metadata?.annotations, [NODE_ANNOTATION]: isReady(node) ? 'fake' : 'lost' };
    return { ...object, metadata: { ...object.metadata, annotations } };
  }
  return withoutAddresses(object) ?? object;
}

function isReady({ status }: Node): boolean {
  return status?.conditions === undefined || isConditionTrue(status.conditions, 'Ready');
}

interface Scalable extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly paused?: boolean };
  readonly status?: {
    readonly replicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}

/** Pods that a replica set wants and cannot make, for example because of a quota. */
async function missingPods({ client }: SimulatedWorld): Promise<PodFinding[]> {
  const mapper = createRestMapper(await discover(client.transport));
  const found: PodFinding[] = [];
  for (const word of ['replicasets.apps', 'replicationcontrollers']) {
    const served = mapper.byWord(word);
    if (!served) continue;
    for (const object of (await client.for<Scalable>(served.type).list()).items) {
      const missing = (object.spec?.replicas ?? 1) - (object.status?.replicas ?? 0);
      const failure = object.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
      if (missing <= 0 || failure?.status !== 'True') continue;
      const { namespace = '', name } = object.metadata;
      for (let at = 0; at < missing; at++)
        found.push({
          namespace,
          name: `${name}-…`,
          owner: `${object.kind}/${name}`,
          reason: failure.message ?? 'it cannot be created',
        });
    }
  }
  return found;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
