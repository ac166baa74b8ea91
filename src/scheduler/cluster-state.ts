import type { Node, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { NodeInfo } from './node-info.ts';
import { podInfo, type PodInfo } from './pod-info.ts';

/**
 * What the scheduler believes about nodes and the pods on them: the watched state, and the pods it has placed itself
 * whose binding it has not seen yet (upstream's assume cache).
 */
export class ClusterState {
  readonly #infos = new Map<string, NodeInfo>();
  readonly #placed = new Map<string, string>();
  #nodes: readonly NodeInfo[] | undefined;

  /** Nodes that exist, in the order in which they were first seen. */
  get nodes(): readonly NodeInfo[] {
    this.#nodes ??= [...this.#infos.values()].filter((info) => info.node !== undefined);
    return this.#nodes;
  }

  setNode(node: Live<Node>): void {
    const info = this.#infoOf(node.metadata.name);
    if (!info.node) this.#nodes = undefined;
    info.setNode(node);
  }

  removeNode(name: string): void {
    const info = this.#infos.get(name);
    if (!info) return;
    info.setNode(undefined);
    this.#nodes = undefined;
    if (info.pods.size === 0) this.#infos.delete(name);
  }

  /** Accounts for a pod on a node, whether assumed or seen there. */
  place(info: PodInfo, nodeName: string): void {
    const { uid } = info.pod.metadata;
    if (this.#placed.get(uid) !== nodeName) this.remove(uid);
    this.#placed.set(uid, nodeName);
    this.#infoOf(nodeName).addPod(info);
  }

  /** Forgets a pod that is gone or finished, or whose binding failed. */
  remove(uid: string): void {
    const nodeName = this.#placed.get(uid);
    if (nodeName === undefined) return;
    this.#placed.delete(uid);
    const info = this.#infos.get(nodeName);
    info?.removePod(uid);
    if (info && !info.node && info.pods.size === 0) this.#infos.delete(nodeName);
  }

  /** Whether the pod is accounted for. */
  holds(pod: Live<Pod>): boolean {
    return this.#placed.has(pod.metadata.uid);
  }

  /** Accounts for a pod that the server says is on a node. */
  see(pod: Live<Pod>, nodeName: string): void {
    this.place(podInfo(pod), nodeName);
  }

  #infoOf(name: string): NodeInfo {
    let info = this.#infos.get(name);
    if (!info) this.#infos.set(name, (info = new NodeInfo()));
    return info;
  }
}
