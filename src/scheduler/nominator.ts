import type { Nominations } from './framework.ts';
import type { PodInfo } from './pod-info.ts';

interface Nomination {
  readonly info: PodInfo;
  readonly nodeName: string;
}

/** Which waiting pods were promised room on which node (`status.nominatedNodeName`, or about to be there). */
export class Nominator implements Nominations {
  readonly #byPod = new Map<string, Nomination>();
  readonly #byNode = new Map<string, Map<string, PodInfo>>();

  get size(): number {
    return this.#byPod.size;
  }

  on(nodeName: string): Iterable<PodInfo> {
    return this.#byNode.get(nodeName)?.values() ?? [];
  }

  nodeOf(uid: string): string | undefined {
    return this.#byPod.get(uid)?.nodeName;
  }

  /** Replaces an earlier nomination of the same pod; an empty node name clears it. */
  set(info: PodInfo, nodeName: string): void {
    this.remove(info.uid);
    if (nodeName === '') return;
    this.#byPod.set(info.uid, { info, nodeName });
    const pods = this.#byNode.get(nodeName) ?? new Map<string, PodInfo>();
    this.#byNode.set(nodeName, pods.set(info.uid, info));
  }

  remove(uid: string): void {
    const nomination = this.#byPod.get(uid);
    if (!nomination) return;
    this.#byPod.delete(uid);
    const pods = this.#byNode.get(nomination.nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(nomination.nodeName);
  }
}
