import { groupBy } from '../../base/group-by.ts';
import { nodes, pods, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import {
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityOf,
  quantityValue,
} from '../../machinery/quantity.ts';
import { conditionOf } from '../../reconcile/conditions.ts';
import { podInfo } from '../../scheduler/pod-info.ts';
import type { Amount, NodeFinding, PodFinding } from './what-if.ts';

/** The pods and nodes of a world at a moment. */
export interface Survey {
  readonly nodes: readonly Live<Node>[];
  /** Pods that have a node and have not ended. */
  readonly placed: readonly Live<Pod>[];
  readonly pending: readonly Live<Pod>[];
}

const ZONE = 'topology.kubernetes.io/zone';

export async function survey(client: Client): Promise<Survey> {
  const [nodeItems, podItems] = await Promise.all([all(client, nodes), all(client, pods)]);
  const open = podItems.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  return {
    nodes: nodeItems,
    placed: open.filter(({ spec }) => spec.nodeName),
    pending: open.filter(({ spec }) => !spec.nodeName),
  };
}

async function all<T extends KubeObject>(client: Client, type: ResourceType<T>): Promise<readonly Live<T>[]> {
  return (await client.for(type).list()).items;
}

/** A pod without a node, and why. */
export function pendingPod(pod: Live<Pod>): PodFinding {
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled');
  return { ...podNames(pod), reason: scheduled?.message ?? 'the scheduler has not looked at it' };
}

export function podNames(pod: Live<Pod>): Omit<PodFinding, 'reason'> {
  const { metadata } = pod;
  const present = controllerOf(pod);
  const owner = present ? `${present.kind}/${present.name}` : absentOwner(pod);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    ...(owner !== undefined && { owner }),
  };
}

/** Says which owner, that the snapshot lacks, a pod had. */
const ownerAnnotation = 'kanoe.io/absent-owner';

/** `Rollout/shop`: the pod's owner in the snapshot's cluster, if that is not in the snapshot itself. */
export function absentOwner({ metadata }: Live<Pod>): string | undefined {
  return metadata.annotations?.[ownerAnnotation];
}

/** The object, which remembers its owner if that is none of `uids`. */
export function rememberingOwner(object: KubeObject, uids: ReadonlySet<string | undefined>): KubeObject {
  const owner = controllerOf(object);
  if (object.kind !== 'Pod' || !owner || uids.has(owner.uid)) return object;
  const annotations = { ...object.metadata.annotations, [ownerAnnotation]: `${owner.kind}/${owner.name}` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export function zoneOf({ metadata }: Node): string | undefined {
  return metadata?.labels?.[ZONE];
}

/** What each node offers and how much of it is asked for. */
export function nodeFindings(
  { nodes: found, placed }: Survey,
  groupOf: (name: string) => string | undefined,
): NodeFinding[] {
  const byNode = groupBy(placed, ({ spec }) => spec.nodeName ?? '');
  return found
    .map((node) => {
      const { name } = node.metadata;
      const infos = (byNode.get(name) ?? []).map(podInfo);
      const offered = node.status?.allocatable ?? {};
      const zone = zoneOf(node);
      const group = groupOf(name);
      const milliCpu = infos.reduce((sum, { requests }) => sum + requests.milliCpu, 0);
      const memory = infos.reduce((sum, { requests }) => sum + requests.memory, 0);
      return {
        name,
        ...(zone !== undefined && { zone }),
        ...(group !== undefined && { group }),
        cpu: amount(milliCpu, Number(quantityMilliValue(parseQuantity(offered['cpu'] ?? '0'))), cpuText),
        memory: amount(memory, Number(quantityValue(parseQuantity(offered['memory'] ?? '0'))), memoryText),
        pods: amount(infos.length, Number(quantityValue(parseQuantity(offered['pods'] ?? '0'))), String),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function amount(requested: number, allocatable: number, text: (value: number) => string): Amount {
  return {
    requested: text(requested),
    allocatable: text(allocatable),
    percent: allocatable === 0 ? 0 : Math.round((requested / allocatable) * 100),
  };
}

function cpuText(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

function memoryText(bytes: number): string {
  const mebi = 1024 * 1024;
  return formatQuantity(quantityOf(bytes < mebi ? bytes : Math.round(bytes / mebi) * mebi, 'BinarySI'));
}
