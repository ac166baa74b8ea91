import type { Pod } from '../../api/core/v1.gen.ts';
import {
  normalize,
  type Candidate,
  type FilterPlugin,
  type ScorePlugin,
  type Snapshot,
} from '../framework.ts';
import { parseTerm, type ParsedTerm } from './affinity-term.ts';

/** Honours required affinity and anti-affinity between pods, those of pods already placed included. */
export const interPodAffinity: FilterPlugin = {
  name: 'InterPodAffinity',
  wokenBy: ['node', 'pod-gone', 'pod-placed', 'namespace'],
  prepare({ pod }, snapshot) {
    const affinity = requiredTerms(pod, 'podAffinity', snapshot);
    const antiAffinity = requiredTerms(pod, 'podAntiAffinity', snapshot);
    const refusing = domainsThatRefuse(pod, snapshot);
    if (affinity.length === 0 && antiAffinity.length === 0 && refusing.size === 0) return undefined;
    const wanted = affinity.map((term) =>
      domainsWith(snapshot, term, (other) => affinity.every((t) => t.matches(other))),
    );
    const avoided = antiAffinity.map((term) => domainsWith(snapshot, term, term.matches));
    const first =
      wanted.every((domains) => domains.size === 0) && affinity.every((term) => term.matches(pod));

    return ({ node }) => {
      const labels = node.metadata.labels ?? {};
      const near = affinity.every(({ topologyKey }, index) => {
        const domain = labels[topologyKey];
        return domain !== undefined && (first || wanted[index]?.has(domain) === true);
      });
      if (!near) return { reasons: ["node(s) didn't match pod affinity rules"], final: true };
      const tooNear = antiAffinity.some(
        ({ topologyKey }, index) => avoided[index]?.has(labels[topologyKey] ?? '') === true,
      );
      if (tooNear) return { reasons: ["node(s) didn't match pod anti-affinity rules"], final: false };
      const refused = Object.entries(labels).some(([key, value]) => refusing.has(`${key}=${value}`));
      if (refused)
        return { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], final: false };
      return undefined;
    };
  },
};

/** Sums the weights of the pod's preferred terms over the pods in each node's domains. */
export const interPodAffinityScore: ScorePlugin = {
  name: 'InterPodAffinity',
  weight: 2,
  prepare({ pod }, snapshot) {
    const terms = preferredTerms(pod, snapshot);
    if (terms.length === 0) return undefined;
    const sums = new Map<string, number>();
    for (const { node, pods } of snapshot.nodes) {
      for (const { weight, term } of terms) {
        const domain = node?.metadata.labels?.[term.topologyKey];
        if (domain === undefined) continue;
        for (const other of pods.values()) {
          if (!term.matches(other.pod)) continue;
          const key = `${term.topologyKey}=${domain}`;
          sums.set(key, (sums.get(key) ?? 0) + weight);
        }
      }
    }
    return (candidates) => {
      const raw = candidates.map((candidate) => domainSum(candidate, sums));
      const lowest = Math.min(...raw);
      return normalize(
        raw.map((sum) => sum - lowest),
        'ascending',
      );
    };
  },
};

function domainSum({ node }: Candidate, sums: ReadonlyMap<string, number>): number {
  return Object.entries(node.metadata.labels ?? {}).reduce(
    (sum, [key, value]) => sum + (sums.get(`${key}=${value}`) ?? 0),
    0,
  );
}

function requiredTerms(pod: Pod, kind: 'podAffinity' | 'podAntiAffinity', snapshot: Snapshot): ParsedTerm[] {
  const terms = pod.spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.map((term) => parseTerm(term, pod, snapshot));
}

function preferredTerms(
  pod: Pod,
  snapshot: Snapshot,
): { readonly weight: number; readonly term: ParsedTerm }[] {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const signed = [
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
      term,
      sign: 1,
    })),
    ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
      term,
      sign: -1,
    })),
  ];
  return signed.map(({ term, sign }) => ({
    weight: sign * term.weight,
    term: parseTerm(term.podAffinityTerm, pod, snapshot),
  }));
}

/** Values of the term's label on nodes that run a pod which `matches`. */
function domainsWith(snapshot: Snapshot, term: ParsedTerm, matches: (pod: Pod) => boolean): Set<string> {
  const domains = new Set<string>();
  for (const { node, pods } of snapshot.nodes) {
    const domain = node?.metadata.labels?.[term.topologyKey];
    if (domain === undefined || domains.has(domain)) continue;
    for (const other of pods.values()) {
      if (matches(other.pod)) {
        domains.add(domain);
        break;
      }
    }
  }
  return domains;
}

/** `label=value` of the domains in which a placed pod refuses this one. */
function domainsThatRefuse(pod: Pod, snapshot: Snapshot): Set<string> {
  const refusing = new Set<string>();
  for (const { node, pods } of snapshot.nodes) {
    for (const other of pods.values()) {
      if (!other.pod.spec.affinity?.podAntiAffinity) continue;
      for (const term of requiredTerms(other.pod, 'podAntiAffinity', snapshot)) {
        const domain = node?.metadata.labels?.[term.topologyKey];
        if (domain !== undefined && term.matches(pod)) refusing.add(`${term.topologyKey}=${domain}`);
      }
    }
  }
  return refusing;
}
