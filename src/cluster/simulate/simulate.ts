import { namespaces, nodes, pods, type Node, type Pod } from '../../api/core/v1.gen.ts';
import { createRestMapper, discover } from '../../client/discovery.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { isConditionTrue } from '../../reconcile/conditions.ts';
import { NODE_ANNOTATION } from '../../node/simulated/kwok/stage.ts';
import { restoreSnapshot, withoutAddresses } from '../snapshot/restore-snapshot.ts';
import { addNodes } from './add-nodes.ts';
import { createWorld, type SimulatedWorld } from './simulated-world.ts';
import { nodeFindings, pendingPod, podNames, survey, zoneOf } from './survey.ts';
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
    await load(world, question.objects, { signal, onProblem });
    report('letting it settle …');
    await world.start();
    await world.settle(PATIENCE_MS);
    const before = await survey(world.client);
    const { lostNodes, lost } = await loseNodes(world, question);
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
  const present = new Set((await client.for(namespaces).list()).items.map(({ metadata }) => metadata.name));
  for (const { kind, metadata } of objects) if (kind === 'Namespace') present.add(metadata.name ?? '');
  const absent = new Set(
    objects.flatMap(({ metadata }) => metadata.namespace ?? []).filter((name) => !present.has(name)),
  );
  await restoreSnapshot(
    client,
    [
      ...[...absent].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...objects.map(prepared),
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

/** Deletes nodes with their pods. Pods whose owner the snapshot lacks are made anew, for whoever would do so. */
async function loseNodes(
  { client }: SimulatedWorld,
  { lostNodes, lostZones }: WhatIf,
): Promise<{ readonly lostNodes: readonly string[]; readonly lost: readonly PodFinding[] }> {
  const names = new Set(
    (await client.for(nodes).list()).items
      .filter((node) => lostNodes.includes(node.metadata.name) || lostZones.includes(zoneOf(node) ?? ''))
      .map(({ metadata }) => metadata.name),
  );
  const lost: PodFinding[] = [];
  for (const pod of (await client.for(pods).list()).items) {
    if (!names.has(pod.spec.nodeName ?? '')) continue;
    const { namespace = '', name } = pod.metadata;
    if (podNames(pod).owner === undefined && !isFinished(pod) && !isStatic(pod))
      lost.push({ ...podNames(pod), reason: `it was on ${pod.spec.nodeName}, and nothing makes it anew` });
    await ignoreMissing(client.for(pods).delete({ namespace, name }, { gracePeriodSeconds: 0 }));
  }
  for (const name of names) await ignoreMissing(client.for(nodes).delete({ name }));
  return { lostNodes: [...names].sort(), lost };
}

function isFinished({ status }: Live<Pod>): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** A node's own pod goes with the node. */
function isStatic({ metadata }: Live<Pod>): boolean {
  return metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

async function ignoreMissing(deleting: Promise<unknown>): Promise<void> {
  await deleting.catch((error: unknown) => {
    if (!isStatus(error, 'NotFound')) throw error;
  });
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
