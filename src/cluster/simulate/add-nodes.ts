import { nodes, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { parseQuantity, quantityMilliValue, quantityValue } from '../../machinery/quantity.ts';
import { NODE_ANNOTATION } from '../../node/simulated/kwok/stage.ts';
import { podInfo } from '../../scheduler/pod-info.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { loseNodes } from './lose-nodes.ts';
import { survey } from './survey.ts';
import type { NodeGroup } from './what-if.ts';

export interface AddNodesOptions {
  /** Simulated time for pods to find their nodes. */
  readonly patienceMs: number;
  readonly report: (step: string) => void;
  readonly signal: AbortSignal;
}

export interface AddedNodes {
  readonly counts: readonly { readonly group: string; readonly count: number }[];
  /** The group of each added node. */
  readonly groupOf: ReadonlyMap<string, string>;
}

/**
 * Adds nodes of the groups, in their order, for as long as pods without a node get one by it: what a cluster autoscaler
 * would do. Nodes that no pod came to, but those of daemon sets, are taken away again, down to the group's least.
 */
export async function addNodes(
  world: SimulatedWorld,
  groups: readonly NodeGroup[],
  options: AddNodesOptions,
): Promise<AddedNodes> {
  const groupOf = new Map<string, string>();
  const counts: { group: string; count: number }[] = [];
  for (const group of groups) {
    let added = 0;
    const add = async (count: number): Promise<void> => {
      options.report(`with ${count} nodes of ${group.name} …`);
      for (let at = 0; at < count; at++) {
        const node = copyOf(group, added++);
        groupOf.set(node.metadata?.name ?? '', group.name);
        await world.client.for(nodes).create({ ...node, metadata: { ...node.metadata } });
      }
      await world.settle(options.patienceMs);
      // As on a real cluster, the node's own daemons are there before other pods come.
      for (const [name, owner] of groupOf)
        if (owner === group.name)
          await world.client
            .for(nodes)
            .patch({ name }, { spec: { unschedulable: null } }, { type: 'application/merge-patch+json' });
      await world.settle(options.patienceMs);
    };
    if (group.min > 0) await add(group.min);
    let waiting = (await survey(world.client)).pending;
    // The first node shows whether the group can help at all.
    while (waiting.length > 0 && added < group.max) {
      options.signal.throwIfAborted();
      const wanted = added === group.min ? 1 : leastNodes(waiting, group.template);
      await add(Math.min(group.max - added, wanted));
      const still = (await survey(world.client)).pending;
      if (still.length >= waiting.length) break;
      waiting = still;
    }
    const unused = await unusedNodes(world, groupOf, group);
    for (const name of unused.slice(0, Math.max(0, added - group.min))) {
      await loseNodes(world.client, { lostNodes: [name], lostZones: [] });
      groupOf.delete(name);
      added--;
    }
    if (unused.length > 0) await world.settle(options.patienceMs);
    counts.push({ group: group.name, count: added });
  }
  return { counts, groupOf };
}

function copyOf({ name: group, template }: NodeGroup, index: number): Node {
  const name = `${group}-${String(index).padStart(4, '0')}`;
  const {
    uid: _uid,
    resourceVersion: _version,
    ownerReferences: _owners,
    ...metadata
  } = template.metadata ?? {};
  const { podCIDR: _cidr, podCIDRs: _cidrs, providerID: _provider, ...spec } = template.spec ?? {};
  return {
    ...template,
    metadata: {
      ...metadata,
      name,
      labels: { ...metadata.labels, 'kubernetes.io/hostname': name },
      annotations: { ...metadata.annotations, [NODE_ANNOTATION]: 'fake' },
    },
    spec: { ...spec, unschedulable: true },
    status: { ...template.status, conditions: [], addresses: [] },
  };
}

/** No fewer nodes than this can hold the pods, by what they ask for alone. */
function leastNodes(waiting: readonly Live<Pod>[], { status }: Node): number {
  const infos = waiting.map(podInfo);
  const offered = status?.allocatable ?? status?.capacity ?? {};
  const cpu = infos.reduce((sum, { requests }) => sum + requests.milliCpu, 0);
  const memory = infos.reduce((sum, { requests }) => sum + requests.memory, 0);
  const ratios = [
    cpu / Number(quantityMilliValue(parseQuantity(offered['cpu'] ?? '0'))),
    memory / Number(quantityValue(parseQuantity(offered['memory'] ?? '0'))),
    infos.length / Number(quantityValue(parseQuantity(offered['pods'] ?? '110'))),
  ].filter(Number.isFinite);
  return Math.max(1, Math.ceil(Math.max(...ratios, 0)));
}

async function unusedNodes(
  { client }: SimulatedWorld,
  groupOf: ReadonlyMap<string, string>,
  { name }: NodeGroup,
): Promise<string[]> {
  const { placed } = await survey(client);
  const used = new Set(
    placed
      .filter(({ metadata }) => !metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet'))
      .map(({ spec }) => spec.nodeName),
  );
  return [...groupOf].filter(([node, group]) => group === name && !used.has(node)).map(([node]) => node);
}
