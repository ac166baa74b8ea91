import type { Node, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { deepEqual } from '../reconcile/deep-equal.ts';
import { PodClass } from './pod-class.ts';

interface Placed {
  readonly podClass: PodClass;
  readonly signature: string;
  readonly nodeName: string;
}

/**
 * The placed pods by {@link PodClass}: pods of one template are one class, so that a plug-in compares a selector with
 * as many label sets as there are templates, not pods.
 */
export class PodIndex {
  readonly #placed = new Map<string, Placed>();
  readonly #classes = new Map<string, PodClass>();
  readonly #sizes = new Map<PodClass, number>();
  readonly #byNamespace = new Map<string, Set<PodClass>>();
  readonly #withTerms = new Set<PodClass>();
  readonly #nodes = new Map<string, Live<Node>>();
  readonly #onNode = new Map<string, Map<PodClass, number>>();
  #nodesVersion = 0;

  /** Changes whenever a node comes, goes, or changes its labels or taints. */
  get nodesVersion(): number {
    return this.#nodesVersion;
  }

  /** Nodes that exist. */
  nodes(): Iterable<Live<Node>> {
    return this.#nodes.values();
  }

  classes(): Iterable<PodClass> {
    return this.#classes.values();
  }

  classesIn(namespace: string): Iterable<PodClass> {
    return this.#byNamespace.get(namespace) ?? [];
  }

  /** Classes of pods with affinity or anti-affinity terms. */
  classesWithTerms(): Iterable<PodClass> {
    return this.#withTerms;
  }

  /** The node as it is now, undefined when it is gone. */
  setNode(name: string, node: Live<Node> | undefined): void {
    const previous = this.#nodes.get(name);
    if (node) this.#nodes.set(name, node);
    else this.#nodes.delete(name);
    const relabelled = !deepEqual(previous?.metadata.labels, node?.metadata.labels);
    if (relabelled || !previous || !node || !deepEqual(previous.spec.taints, node.spec.taints))
      this.#nodesVersion++;
    if (!relabelled) return;
    for (const [podClass, count] of this.#onNode.get(name) ?? []) {
      podClass.move(-count, previous?.metadata.labels);
      podClass.move(count, node?.metadata.labels);
    }
  }

  /** Replaces what was known of the same pod. */
  place(pod: Live<Pod>, nodeName: string): void {
    const signature = signatureOf(pod);
    const placed = this.#placed.get(pod.metadata.uid);
    if (placed?.signature === signature && placed.nodeName === nodeName) return;
    this.remove(pod.metadata.uid);
    const podClass = this.#classOf(pod, signature);
    this.#placed.set(pod.metadata.uid, { podClass, signature, nodeName });
    this.#count(podClass, nodeName, 1);
  }

  remove(uid: string): void {
    const placed = this.#placed.get(uid);
    if (!placed) return;
    this.#placed.delete(uid);
    this.#count(placed.podClass, placed.nodeName, -1);
    if (!this.#sizes.has(placed.podClass)) this.#forget(placed);
  }

  #count(podClass: PodClass, nodeName: string, count: 1 | -1): void {
    podClass.add(nodeName, count);
    let onNode = this.#onNode.get(nodeName);
    if (!onNode) this.#onNode.set(nodeName, (onNode = new Map()));
    bump(onNode, podClass, count);
    if (onNode.size === 0) this.#onNode.delete(nodeName);
    bump(this.#sizes, podClass, count);
  }

  #classOf(pod: Live<Pod>, signature: string): PodClass {
    const known = this.#classes.get(signature);
    if (known) return known;
    const podClass = new PodClass(pod, (nodeName) => this.#nodes.get(nodeName)?.metadata.labels);
    this.#classes.set(signature, podClass);
    if (podClass.terms) this.#withTerms.add(podClass);
    const others = this.#byNamespace.get(podClass.namespace);
    if (others) others.add(podClass);
    else this.#byNamespace.set(podClass.namespace, new Set([podClass]));
    return podClass;
  }

  #forget({ podClass, signature }: Placed): void {
    this.#classes.delete(signature);
    this.#withTerms.delete(podClass);
    const others = this.#byNamespace.get(podClass.namespace);
    others?.delete(podClass);
    if (others?.size === 0) this.#byNamespace.delete(podClass.namespace);
  }
}

function bump(counts: Map<PodClass, number>, podClass: PodClass, count: 1 | -1): void {
  const sum = (counts.get(podClass) ?? 0) + count;
  if (sum === 0) counts.delete(podClass);
  else counts.set(podClass, sum);
}

function signatureOf({ metadata, spec }: Live<Pod>): string {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  return JSON.stringify([
    metadata.namespace,
    metadata.labels,
    metadata.deletionTimestamp !== undefined,
    podAffinity,
    podAntiAffinity,
  ]);
}
