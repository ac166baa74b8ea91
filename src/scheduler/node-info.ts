import type { Node } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { amountsOf, type Amounts, type PodInfo } from './pod-info.ts';

/** A node and the sum of what the pods on it occupy, kept up to date pod by pod. */
export class NodeInfo {
  readonly pods: Map<string, PodInfo> = new Map();
  readonly requested: Map<string, number> = new Map();
  scoringCpu = 0;
  scoringMemory = 0;
  #node: Live<Node> | undefined;
  #allocatable: Amounts = new Map();

  /** Undefined while pods are known that run on a node that is not. */
  get node(): Live<Node> | undefined {
    return this.#node;
  }

  get allocatable(): Amounts {
    return this.#allocatable;
  }

  setNode(node: Live<Node> | undefined): void {
    this.#node = node;
    this.#allocatable = amountsOf(node?.status?.allocatable);
  }

  /** Replaces what was known of the same pod. */
  addPod(info: PodInfo): void {
    this.removePod(info.pod.metadata.uid);
    this.pods.set(info.pod.metadata.uid, info);
    this.#account(info, 1);
  }

  removePod(uid: string): void {
    const info = this.pods.get(uid);
    if (!info) return;
    this.pods.delete(uid);
    this.#account(info, -1);
  }

  #account(info: PodInfo, sign: 1 | -1): void {
    for (const [name, amount] of info.requests) {
      this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount);
    }
    this.scoringCpu += sign * info.scoringCpu;
    this.scoringMemory += sign * info.scoringMemory;
  }
}
