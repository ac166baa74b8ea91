import type { Node, Pod } from '../../api/core/v1.gen.ts';
import { selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { SummedDomains } from '../domain-counts.ts';
import type { PodClass } from '../pod-class.ts';
import type { PodIndex } from '../pod-index.ts';
import { requiredNodes } from '../../api/core/node-selector.ts';
import type { SpreadConstraint } from './spread-constraint.ts';
import { toleratesAll } from '../../api/core/toleration.ts';

/** The nodes over which one constraint of a pod spreads. */
export interface SpreadDomains {
  /** By node name the value of the constraint's label. */
  readonly domainOf: ReadonlyMap<string, string>;
  /** The values, even those that hold no pod. */
  readonly domains: ReadonlySet<string>;
  /** Every node that has the label is in. */
  readonly complete: boolean;
}

/**
 * Remembers which nodes constraints spread over, because a whole template's pods ask the same question; forgotten as
 * soon as a node changes.
 */
export class SpreadDomainCache {
  readonly #known = new Map<string, SpreadDomains>();
  #version = -1;

  /** `keys`: labels that a node must have to count at all. */
  domains(
    constraint: SpreadConstraint,
    pod: Pod,
    { index, keys }: { readonly index: PodIndex; readonly keys: readonly string[] },
  ): SpreadDomains {
    if (this.#version !== index.nodesVersion || this.#known.size > 1000) {
      this.#known.clear();
      this.#version = index.nodesVersion;
    }
    const signature = JSON.stringify([
      constraint.topologyKey,
      keys,
      constraint.honorAffinity && [pod.spec.nodeSelector, pod.spec.affinity?.nodeAffinity],
      constraint.honorTaints && (pod.spec.tolerations ?? []),
    ]);
    let known = this.#known.get(signature);
    if (!known) this.#known.set(signature, (known = findDomains(constraint, pod, { index, keys })));
    return known;
  }
}

/** Classes of the pod's namespace that the constraint counts. */
export function spreadClasses(constraint: SpreadConstraint, pod: Pod, index: PodIndex): PodClass[] {
  const found: PodClass[] = [];
  for (const other of index.classesIn(pod.metadata.namespace ?? '')) {
    if (!other.terminating && selectorMatches(constraint.selector, other.labels)) found.push(other);
  }
  return found;
}

/** Pods of these classes in each domain. */
export function countSpread(
  { topologyKey }: SpreadConstraint,
  { domainOf, complete }: SpreadDomains,
  classes: readonly PodClass[],
): SummedDomains {
  return new SummedDomains(
    classes.map((other) => (complete ? other.byDomain(topologyKey) : other.byGroup(domainOf))),
  );
}

function findDomains(
  constraint: SpreadConstraint,
  pod: Pod,
  { index, keys }: { readonly index: PodIndex; readonly keys: readonly string[] },
): SpreadDomains {
  const required = constraint.honorAffinity ? requiredNodes(pod) : undefined;
  const isEligible = (node: Node): boolean =>
    keys.every((key) => node.metadata.labels?.[key] !== undefined) &&
    (!required || required(node)) &&
    (!constraint.honorTaints || toleratesAll(pod.spec.tolerations, node.spec.taints));
  const domainOf = new Map<string, string>();
  let complete = true;
  for (const node of index.nodes()) {
    const domain = node.metadata.labels?.[constraint.topologyKey];
    if (domain === undefined) continue;
    if (isEligible(node)) domainOf.set(node.metadata.name, domain);
    else complete = false;
  }
  return { domainOf, domains: new Set(domainOf.values()), complete };
}
