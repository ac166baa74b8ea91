import type { Node, Taint } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { HostPorts } from './host-ports.ts';
import type { PodClass } from './pod-class.ts';
import type { PodInfo } from './pod-info.ts';
import {
  accumulate,
  amountsOf,
  emptySum,
  integerQuantity,
  NOTHING_REQUESTED,
  type ResourceAmounts,
} from './resource-amounts.ts';

type Labels = Readonly<Record<string, string>>;

const noLabels: Labels = {};
const noTaints: readonly Taint[] = [];

/** A node and the account of the pods on it, kept up to date pod by pod. */
export class NodeInfo {
  readonly name: string;
  /** By uid. */
  readonly pods: Map<string, PodInfo> = new Map();
  readonly usedPorts: HostPorts = new HostPorts();
  /** How many pods here use a claim, by `namespace/name`. */
  readonly claimUses: Map<string, number> = new Map();
  /** The sum of all requests, overhead included. */
  readonly requested: ResourceAmounts;
  /** Sums for scoring (see {@link PodInfo.scoringCpu}). */
  scoringCpu = 0;
  scoringMemory = 0;
  /** Grows with each change of the node or its pods. */
  generation = 0;
  /** The taints that keep pods off, and those that say "rather not". */
  hardTaints: readonly Taint[] = noTaints;
  softTaints: readonly Taint[] = noTaints;
  /** Cordoned. */
  unschedulable = false;
  /** Its label `kubernetes.io/hostname`. */
  hostname: string | undefined;
  /** Its label `topology.kubernetes.io/zone`. */
  zone: string | undefined;
  readonly #requested = emptySum();
  #node: Live<Node>;
  #allocatable: ResourceAmounts = NOTHING_REQUESTED;
  #allowedPods = 0;
  #images: ReadonlyMap<string, number> = new Map();
  /** What {@link podsOf} answered last, and at which generation. */
  #counted: { readonly of: PodClass; readonly at: number; readonly count: number } | undefined;

  constructor(node: Live<Node>, facts?: NodeInfo) {
    this.#node = node;
    this.name = node.metadata.name;
    this.requested = this.#requested;
    this.#setTaints(node);
    if (facts) {
      this.#allocatable = facts.allocatable;
      this.#allowedPods = facts.allowedPods;
      this.#images = facts.images;
    } else this.setNode(node);
  }

  get node(): Live<Node> {
    return this.#node;
  }

  get labels(): Labels {
    return this.#node.metadata.labels ?? noLabels;
  }

  get allocatable(): ResourceAmounts {
    return this.#allocatable;
  }

  /** How many pods the node takes. */
  get allowedPods(): number {
    return this.#allowedPods;
  }

  /** Sizes in bytes of the images on the node, by every name. */
  get images(): ReadonlyMap<string, number> {
    return this.#images;
  }

  setNode(node: Live<Node>): void {
    const { allocatable, images } = node.status ?? {};
    const previous = this.#node.status;
    if (node === this.#node || allocatable !== previous?.allocatable) {
      this.#allocatable = amountsOf(allocatable);
      this.#allowedPods = allocatable?.['pods'] ? integerQuantity('pods', allocatable['pods']) : 0;
    }
    if (node === this.#node || images !== previous?.images) {
      this.#images = new Map(
        (images ?? []).flatMap(({ names, sizeBytes = 0 }) =>
          (names ?? []).map((name) => [name, sizeBytes] as const),
        ),
      );
    }
    this.#node = node;
    this.#setTaints(node);
    this.generation++;
  }

  /** How many placed pods of the class are here. */
  podsOf(of: PodClass): number {
    const counted = this.#counted;
    if (counted?.of === of && counted.at === this.generation) return counted.count;
    const count = of.byNode.get(this.name) ?? 0;
    this.#counted = { of, at: this.generation, count };
    return count;
  }

  #setTaints({ spec, metadata }: Live<Node>): void {
    this.hostname = metadata.labels?.['kubernetes.io/hostname'];
    this.zone = metadata.labels?.['topology.kubernetes.io/zone'];

    const { taints = noTaints } = spec;
    const soft = taints.filter(({ effect }) => effect === 'PreferNoSchedule');
    this.softTaints = soft.length > 0 ? soft : noTaints;
    this.hardTaints = soft.length > 0 ? taints.filter((taint) => !soft.includes(taint)) : taints;
    this.unschedulable = spec.unschedulable ?? false;
  }

  /** Replaces what was known of the same pod. */
  addPod(info: PodInfo): void {
    this.removePod(info.uid);
    this.pods.set(info.uid, info);
    this.#account(info, 1);
  }

  /** Holds a newer form of a pod that occupies just what it did. */
  refreshPod(info: PodInfo): void {
    this.pods.set(info.uid, info);
  }

  /** Returns what was known of the pod. */
  removePod(uid: string): PodInfo | undefined {
    const info = this.pods.get(uid);
    if (!info) return undefined;
    this.pods.delete(uid);
    this.#account(info, -1);
    return info;
  }

  /** A copy to try things out on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.#node, this);
    for (const info of this.pods.values()) copy.addPod(info);
    copy.generation = this.generation;
    return copy;
  }

  #account(info: PodInfo, sign: 1 | -1): void {
    this.generation++;
    accumulate(this.#requested, info.requests, sign);
    this.scoringCpu += sign * info.scoringCpu;
    this.scoringMemory += sign * info.scoringMemory;
    for (const port of info.hostPorts) {
      if (sign > 0) this.usedPorts.add(port);
      else this.usedPorts.remove(port);
    }
    for (const claim of info.claims) {
      const key = `${info.namespace}/${claim}`;
      const uses = (this.claimUses.get(key) ?? 0) + sign;
      if (uses > 0) this.claimUses.set(key, uses);
      else this.claimUses.delete(key);
    }
  }
}
