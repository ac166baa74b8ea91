import type { Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { addTo, type DomainCounts } from './domain-counts.ts';
import { affinityTerms, type AffinityTerms } from './plugins/affinity-term.ts';

type Labels = Readonly<Record<string, string>>;

const keptGroups = 8;

/**
 * Placed pods that no selector and no affinity term can tell apart, counted by node and, once asked for, by the values
 * of a node label.
 */
export class PodClass {
  readonly namespace: string;
  readonly labels: Labels;
  /** Being deleted: topology spread leaves such pods out. */
  readonly terminating: boolean;
  /** Affinity terms of these pods; undefined when they have none. */
  readonly terms: AffinityTerms | undefined;
  readonly #byNode = new Map<string, number>();
  readonly #byDomain = new Map<string, Map<string, number>>();
  readonly #byGroup = new Map<ReadonlyMap<string, string>, Map<string, number>>();
  readonly #labelsOf: (nodeName: string) => Labels | undefined;

  constructor(example: Live<Pod>, labelsOf: (nodeName: string) => Labels | undefined) {
    this.namespace = example.metadata.namespace ?? '';
    this.labels = example.metadata.labels ?? {};
    this.terminating = example.metadata.deletionTimestamp !== undefined;
    this.terms = affinityTerms(example);
    this.#labelsOf = labelsOf;
  }

  /** Pods by node name, nodes that do not exist included. */
  get byNode(): ReadonlyMap<string, number> {
    return this.#byNode;
  }

  /** Pods by value of a node label; nodes without it, or that do not exist, are left out. The map stays up to date. */
  byDomain(key: string): DomainCounts {
    let counts = this.#byDomain.get(key);
    if (counts) return counts;
    counts = new Map();
    this.#byDomain.set(key, counts);
    for (const [nodeName, count] of this.#byNode) {
      const domain = this.#labelsOf(nodeName)?.[key];
      if (domain !== undefined) addTo(counts, domain, count);
    }
    return counts;
  }

  /**
   * Pods by what a map says of their nodes' names; nodes that it does not name are left out. Stays up to date for the
   * last few maps asked for.
   */
  byGroup(groupOf: ReadonlyMap<string, string>): DomainCounts {
    let counts = this.#byGroup.get(groupOf);
    if (counts) return counts;
    counts = new Map();
    for (const [nodeName, count] of this.#byNode) {
      const group = groupOf.get(nodeName);
      if (group !== undefined) addTo(counts, group, count);
    }
    const [oldest] = this.#byGroup.keys();
    if (oldest && this.#byGroup.size >= keptGroups) this.#byGroup.delete(oldest);
    this.#byGroup.set(groupOf, counts);
    return counts;
  }

  add(nodeName: string, count: number): void {
    addTo(this.#byNode, nodeName, count);
    for (const [groupOf, counts] of this.#byGroup) {
      const group = groupOf.get(nodeName);
      if (group !== undefined) addTo(counts, group, count);
    }
    this.move(count, this.#labelsOf(nodeName));
  }

  /** Adds `count` to the domains that these node labels name. */
  move(count: number, labels: Labels | undefined): void {
    if (!labels) return;
    for (const [key, counts] of this.#byDomain) {
      const domain = labels[key];
      if (domain !== undefined) addTo(counts, domain, count);
    }
  }
}
