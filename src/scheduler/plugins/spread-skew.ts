import type { Pod } from '../../api/core/v1.gen.ts';
import { selectorMatches } from '../../machinery/selectors/label-selector.ts';
import type { SummedDomains } from '../domain-counts.ts';
import type { PodIndex } from '../pod-index.ts';
import type { SpreadConstraint } from './spread-constraint.ts';
import { countSpread, spreadClasses, type SpreadDomainCache, type SpreadDomains } from './spread-domains.ts';

type Labels = Readonly<Record<string, string>>;

/** How one constraint's pods are spread now. */
export interface Spread {
  readonly constraint: SpreadConstraint;
  readonly domains: SpreadDomains;
  readonly counts: SummedDomains;
  /** Pods in the emptiest domain; 0 when there are fewer than `minDomains`. */
  fewest: number;
  /** 1 when the pod itself is counted. */
  readonly self: 0 | 1;
}

/** What a node does to a constraint. */
export type SpreadViolation = 'skew' | 'missing-label';

/** How the pods that each constraint counts are spread. */
export function spreads(
  pod: Pod,
  constraints: readonly SpreadConstraint[],
  { index, cache }: { readonly index: PodIndex; readonly cache: SpreadDomainCache },
): readonly Spread[] {
  const keys = constraints.map(({ topologyKey }) => topologyKey);
  return constraints.map((constraint) => {
    const domains = cache.domains(constraint, pod, { index, keys });
    const counts = countSpread(constraint, domains, spreadClasses(constraint, pod, index));
    return {
      constraint,
      domains,
      counts,
      fewest: fewestIn(constraint, domains, counts),
      self: selectorMatches(constraint.selector, pod.metadata.labels) ? 1 : 0,
    };
  });
}

/** The first constraint that the pod would break on a node with these labels. */
export function spreadViolation(spread: readonly Spread[], labels: Labels): SpreadViolation | undefined {
  for (const { constraint, counts, fewest, self } of spread) {
    const domain = labels[constraint.topologyKey];
    if (domain === undefined) return 'missing-label';
    if (counts.get(domain) + self - fewest > constraint.maxSkew) return 'skew';
  }
  return undefined;
}

/** Changes the counts as `change` more of `other` on the named node would; undone by the opposite. */
export function changeSpread(
  spread: readonly Spread[],
  {
    pod,
    other,
    nodeName,
    change,
  }: {
    readonly pod: Pod;
    readonly other: Pod;
    readonly nodeName: string;
    readonly change: 1 | -1;
  },
): void {
  if (other.metadata.namespace !== pod.metadata.namespace) return;
  for (const one of spread) {
    const { constraint, domains, counts } = one;
    const domain = domains.domainOf.get(nodeName);
    if (domain === undefined || !selectorMatches(constraint.selector, other.metadata.labels)) continue;
    counts.add(domain, change);
    const count = counts.get(domain);
    if (count < one.fewest) one.fewest = domains.domains.size < constraint.minDomains ? 0 : count;
    else if (count - change === one.fewest) one.fewest = fewestIn(constraint, domains, counts);
  }
}

function fewestIn(
  { minDomains }: SpreadConstraint,
  { domains }: SpreadDomains,
  counts: SummedDomains,
): number {
  if (domains.size < minDomains) return 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (const domain of domains) {
    const count = counts.get(domain);
    if (count < fewest) fewest = count;
    if (fewest <= 0) break;
  }
  return fewest;
}
