import type { Node, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { deepEqual } from '../reconcile/deep-equal.ts';
import { interleaveZones, sameZone } from './interleave-zones.ts';
import { NodeInfo } from './node-info.ts';
import type { NamespaceLabels } from './plugins/affinity-term.ts';
import { podInfo, type PodInfo } from './pod-info.ts';
import { PodIndex } from './pod-index.ts';
import type { Snapshot } from './snapshot.ts';

interface Placed {
  readonly info: PodInfo;
  readonly nodeName: string;
  /** Placed by the scheduler itself; the server has not said so yet. */
  readonly assumed: boolean;
}

/**
 * What the scheduler believes about nodes and the pods on them: the watched state, and the pods it has placed itself
 * whose binding it has not seen yet (upstream's assume cache). It is its own {@link Snapshot}: cycles are synchronous.
 */
export class SchedulerCache implements Snapshot {
  readonly pods: PodIndex = new PodIndex();
  readonly namespaceLabels: NamespaceLabels;
  readonly #infos = new Map<string, NodeInfo>();
  readonly #placed = new Map<string, Placed>();
  /** Pods on nodes that are not known, by node name and uid. */
  readonly #strays = new Map<string, Map<string, PodInfo>>();
  readonly #imageNodes = new Map<string, number>();
  readonly #claimUses = new Map<string, number>();
  #nodes: readonly NodeInfo[] | undefined;

  constructor(namespaceLabels: NamespaceLabels) {
    this.namespaceLabels = namespaceLabels;
  }

  get nodes(): readonly NodeInfo[] {
    this.#nodes ??= interleaveZones(this.#infos.values());
    return this.#nodes;
  }

  node(name: string): NodeInfo | undefined {
    return this.#infos.get(name);
  }

  nodesWithImage(name: string): number {
    return this.#imageNodes.get(name) ?? 0;
  }

  claimUses(claim: string): number {
    return this.#claimUses.get(claim) ?? 0;
  }

  setNode(node: Live<Node>): void {
    const { name } = node.metadata;
    this.pods.setNode(name, node);
    const info = this.#infos.get(name);
    if (!info) {
      const added = new NodeInfo(node);
      this.#infos.set(name, added);
      for (const pod of this.#strays.get(name)?.values() ?? []) added.addPod(pod);
      this.#strays.delete(name);
      this.#countImages(added.images, 1);
      this.#nodes = undefined;
      return;
    }
    const { images, labels: previous } = info;
    info.setNode(node);
    if (!sameZone(previous, info.labels)) this.#nodes = undefined;
    if (images !== info.images) {
      this.#countImages(images, -1);
      this.#countImages(info.images, 1);
    }
  }

  removeNode(name: string): void {
    const info = this.#infos.get(name);
    if (!info) return;
    this.#infos.delete(name);
    this.#nodes = undefined;
    this.#countImages(info.images, -1);
    if (info.pods.size > 0) this.#strays.set(name, new Map(info.pods));
    this.pods.setNode(name, undefined);
  }

  /** Accounts for a pod on the node that the scheduler chose; it is bound there later. */
  assume(info: PodInfo, nodeName: string): void {
    this.#place({ info, nodeName, assumed: true });
  }

  /** Accounts for a pod that the server says is on a node. */
  confirm(pod: Live<Pod>, nodeName: string): void {
    const { uid } = pod.metadata;
    const placed = this.#placed.get(uid);
    if (placed?.nodeName !== nodeName || !saysTheSame(placed.info.pod, pod)) {
      this.#place({ info: podInfo(pod), nodeName, assumed: false });
      return;
    }
    const info = { ...placed.info, pod };
    this.#placed.set(uid, { info, nodeName, assumed: false });
    this.#infos.get(nodeName)?.refreshPod(info);
    this.#strays.get(nodeName)?.set(uid, info);
  }

  /** How many nodes and pods are known, and how many pods' bindings are still to be seen. */
  sizes(): { readonly nodes: number; readonly pods: number; readonly assumedPods: number } {
    let assumedPods = 0;
    for (const { assumed } of this.#placed.values()) if (assumed) assumedPods++;
    return { nodes: this.#infos.size, pods: this.#placed.size, assumedPods };
  }

  isAssumed(uid: string): boolean {
    return this.#placed.get(uid)?.assumed === true;
  }

  /** Whether the pod is accounted for on any node. */
  holds(uid: string): boolean {
    return this.#placed.has(uid);
  }

  nodeOf(uid: string): string | undefined {
    return this.#placed.get(uid)?.nodeName;
  }

  /** Forgets a pod that is gone or finished, or whose binding failed. */
  remove(uid: string): void {
    const placed = this.#placed.get(uid);
    if (!placed) return;
    this.#placed.delete(uid);
    this.pods.remove(uid);
    this.#countClaims(placed.info, -1);
    const { nodeName } = placed;
    this.#infos.get(nodeName)?.removePod(uid);
    const strays = this.#strays.get(nodeName);
    strays?.delete(uid);
    if (strays?.size === 0) this.#strays.delete(nodeName);
  }

  #place(placed: Placed): void {
    const { info, nodeName } = placed;
    const { uid } = info;
    const held = this.#placed.get(uid);
    if (held && held.nodeName !== nodeName) this.remove(uid);
    else if (held) this.#countClaims(held.info, -1);
    this.#placed.set(uid, placed);
    this.pods.place(info.pod, nodeName);
    this.#countClaims(info, 1);
    const node = this.#infos.get(nodeName);
    if (node) node.addPod(info);
    else {
      const strays = this.#strays.get(nodeName) ?? new Map<string, PodInfo>();
      this.#strays.set(nodeName, strays.set(uid, info));
    }
  }

  #countImages(images: ReadonlyMap<string, number>, sign: 1 | -1): void {
    for (const name of images.keys()) bump(this.#imageNodes, name, sign);
  }

  #countClaims({ claims, namespace }: PodInfo, sign: 1 | -1): void {
    for (const claim of claims) bump(this.#claimUses, `${namespace}/${claim}`, sign);
  }
}

/** Whether nothing changed that the cache accounts for: what the pod asks for, and how selectors see it. */
function saysTheSame(a: Live<Pod>, b: Live<Pod>): boolean {
  return (
    a.metadata.generation !== undefined &&
    a.metadata.generation === b.metadata.generation &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    deepEqual(a.metadata.labels, b.metadata.labels) &&
    !mayBeResized(a) &&
    !mayBeResized(b)
  );
}

/** What is in force on the node may differ from what the spec says. */
function mayBeResized({ status }: Pod): boolean {
  return (status?.containerStatuses ?? []).some(
    ({ allocatedResources, resources }) => allocatedResources !== undefined || resources !== undefined,
  );
}

function bump(counts: Map<string, number>, key: string, sign: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + sign;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
