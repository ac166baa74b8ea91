import { stateKey } from '../cycle-state.ts';
import type { PluginFactory } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import type { Snapshot } from '../snapshot.ts';
import { SKIP, unresolvable, unschedulable } from '../status.ts';
import { affinityTerms, termMatches, termSubject, type AffinityTerm } from './affinity-term.ts';

const name = 'InterPodAffinity';
const apart = unresolvable("node(s) didn't match pod affinity rules");
const tooNear = unschedulable("node(s) didn't match pod anti-affinity rules");
const refused = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");

interface Domains {
  readonly wanted: readonly { readonly key: string; readonly domains: ReadonlySet<string> }[];
  readonly first: boolean;
  readonly avoided: readonly { readonly key: string; readonly domains: ReadonlySet<string> }[];
  readonly refusing: ReadonlyMap<string, ReadonlySet<string>>;
}

const required = stateKey<Domains>(`${name}/required`);
const preferred = stateKey<ReadonlyMap<string, ReadonlyMap<string, number>>>(`${name}/preferred`);

/** Honours affinity and anti-affinity between pods, those of pods already placed included. */
export const interPodAffinity: PluginFactory = {
  name,
  create: ({ snapshot }) => ({
    name,
    preFilter(state, pod) {
      const domains = requiredDomains(pod, snapshot);
      if (!domains) return SKIP;
      state.write(required, domains);
      return undefined;
    },
    filter(state, _pod, { labels }) {
      const domains = state.read(required);
      if (!domains) return undefined;
      const { wanted, first, avoided, refusing } = domains;
      for (const { key, domains: near } of wanted) {
        const domain = labels[key];
        if (domain === undefined || !(first || near.has(domain))) return apart;
      }
      for (const { key, domains: far } of avoided) if (far.has(labels[key] ?? '')) return tooNear;
      for (const [key, far] of refusing) if (far.has(labels[key] ?? '')) return refused;
      return undefined;
    },
    preScore(state, pod) {
      const sums = preferredSums(pod, snapshot);
      if (sums.size === 0) return SKIP;
      state.write(preferred, sums);
      return undefined;
    },
    score(state, _pod, { labels }) {
      let sum = 0;
      for (const [key, sums] of state.read(preferred) ?? []) sum += sums.get(labels[key] ?? '') ?? 0;
      return sum;
    },
    normalizeScores(_state, _pod, { scores }) {
      const lowest = Math.min(...scores);
      const range = Math.max(...scores) - lowest;
      for (const [index, score] of scores.entries())
        scores[index] = range > 0 ? Math.floor((100 * (score - lowest)) / range) : 0;
    },
    eventsToRegister: () => [
      { resource: 'AssignedPod', actions: ['Add', 'Delete', 'UpdatePodLabel'] },
      { resource: 'TargetPod', actions: ['UpdatePodLabel'] },
      { resource: 'Node', actions: ['Add', 'UpdateNodeLabel'] },
      { resource: 'Namespace', actions: ['Add', 'Update'] },
    ],
  }),
};

function requiredDomains({ pod }: PodInfo, { pods, namespaceLabels }: Snapshot): Domains | undefined {
  const { requiredAffinity = [], requiredAntiAffinity = [] } = affinityTerms(pod) ?? {};
  const subject = termSubject(pod);
  const refusing = new Map<string, Set<string>>();
  for (const other of pods.classesWithTerms()) {
    for (const term of other.terms?.requiredAntiAffinity ?? []) {
      if (!termMatches(term, subject, namespaceLabels)) continue;
      const far = refusing.get(term.topologyKey) ?? new Set();
      for (const domain of other.byDomain(term.topologyKey).keys()) far.add(domain);
      refusing.set(term.topologyKey, far);
    }
  }
  if (requiredAffinity.length === 0 && requiredAntiAffinity.length === 0 && refusing.size === 0)
    return undefined;
  const wanted = requiredAffinity.map((term) => domainsOf(term, requiredAffinity));
  const avoided = requiredAntiAffinity.map((term) => domainsOf(term, [term]));
  const first =
    wanted.every(({ domains }) => domains.size === 0) &&
    requiredAffinity.every((term) => termMatches(term, subject, namespaceLabels));
  return { wanted, avoided, first, refusing };

  function domainsOf(
    { topologyKey: key }: AffinityTerm,
    terms: readonly AffinityTerm[],
  ): { key: string; domains: Set<string> } {
    const domains = new Set<string>();
    for (const other of pods.classes()) {
      if (!terms.every((term) => termMatches(term, other, namespaceLabels))) continue;
      for (const domain of other.byDomain(key).keys()) domains.add(domain);
    }
    return { key, domains };
  }
}

function preferredSums(
  { pod }: PodInfo,
  { pods, namespaceLabels }: Snapshot,
): Map<string, Map<string, number>> {
  const sums = new Map<string, Map<string, number>>();
  for (const { term, weight } of affinityTerms(pod)?.preferred ?? []) {
    for (const other of pods.classes()) {
      if (!termMatches(term, other, namespaceLabels)) continue;
      const domains = sums.get(term.topologyKey) ?? new Map<string, number>();
      for (const [domain, count] of other.byDomain(term.topologyKey))
        domains.set(domain, (domains.get(domain) ?? 0) + weight * count);
      sums.set(term.topologyKey, domains);
    }
  }
  return sums;
}
