import type { Node, PersistentVolume } from '../../../api/core/v1.gen.ts';
import { compareQuantities, parseQuantity, type Quantity } from '../../../machinery/quantity.ts';
import { selectorFrom, selectorMatches } from '../../../machinery/selectors/label-selector.ts';
import { nodeSelectorMatches } from '../../../api/core/node-selector.ts';
import { classNameOf, type Claim, type ClaimedVolume } from './claim-volumes.ts';

const hostname = 'kubernetes.io/hostname';

interface Ranked {
  readonly volume: ClaimedVolume;
  readonly rank: number;
}

/**
 * The volumes that a claim could be bound to, best first: those that name it, then the smallest. Volumes of one host are
 * found by the host's name, so that thousands of them cost a node nothing but its own.
 */
export interface VolumeCandidates {
  /** The best that the node reaches and that is not among `taken`. */
  bestOn(node: Node, taken: ReadonlySet<string>): ClaimedVolume | undefined;
}

export function volumeCandidates(claim: Claim, volumes: readonly ClaimedVolume[]): VolumeCandidates {
  const suitable = volumes.filter((volume) => suits(claim, volume)).toSorted(bySize);
  const named = suitable.filter((volume) => isMeantFor(volume, claim));
  const others: Ranked[] = [];
  const byHost = new Map<string, Ranked[]>();
  for (const [rank, volume] of [...named, ...suitable.filter((one) => !isMeantFor(one, claim))].entries()) {
    const hosts = hostsOf(volume);
    if (!hosts) others.push({ volume, rank });
    for (const host of hosts ?? []) {
      const there = byHost.get(host);
      if (there) there.push({ volume, rank });
      else byHost.set(host, [{ volume, rank }]);
    }
  }
  return {
    bestOn(node, taken) {
      const fits = ({ volume }: Ranked): boolean =>
        !taken.has(volume.metadata.name) && isReachable(volume, node);
      const local = byHost.get(node.metadata.labels?.[hostname] ?? '')?.find(fits);
      const shared = others.find(fits);
      if (!local || !shared) return (local ?? shared)?.volume;
      return local.rank < shared.rank ? local.volume : shared.volume;
    },
  };
}

/** Whether the node is among those that the volume can be used from. */
export function isReachable({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec.nodeAffinity?.required;
  return !required || nodeSelectorMatches(required, node);
}

/** How much a claim asks for. */
export function claimedSize({ spec }: Claim): Quantity {
  return parseQuantity(spec.resources?.requests?.['storage'] ?? '0');
}

function suits(claim: Claim, volume: ClaimedVolume): boolean {
  const { spec, metadata, status } = volume;
  if (metadata.deletionTimestamp !== undefined) return false;
  if ((claim.spec.volumeMode ?? 'Filesystem') !== (spec.volumeMode ?? 'Filesystem')) return false;
  if ((claim.spec.volumeAttributesClassName ?? '') !== (spec.volumeAttributesClassName ?? '')) return false;
  if (!(claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))) return false;
  if (compareQuantities(sizeOf(volume), claimedSize(claim)) < 0) return false;
  if (classNameOf(volume) !== classNameOf(claim)) return false;
  if (spec.claimRef) return isMeantFor(volume, claim);
  if (status?.phase !== 'Available') return false;
  return !claim.spec.selector || selectorMatches(selectorFrom(claim.spec.selector), metadata.labels);
}

function isMeantFor({ spec: { claimRef } }: ClaimedVolume, { metadata }: Claim): boolean {
  return (
    claimRef !== undefined &&
    claimRef.name === metadata.name &&
    claimRef.namespace === metadata.namespace &&
    (!claimRef.uid || claimRef.uid === metadata.uid)
  );
}

function sizeOf({ spec }: ClaimedVolume): Quantity {
  return parseQuantity(spec.capacity?.['storage'] ?? '0');
}

function bySize(a: ClaimedVolume, b: ClaimedVolume): number {
  return compareQuantities(sizeOf(a), sizeOf(b)) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

/** Names of the only hosts that reach the volume, when each term of its affinity names some. */
function hostsOf({ spec }: ClaimedVolume): ReadonlySet<string> | undefined {
  const hosts = new Set<string>();
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  for (const { matchExpressions = [] } of terms) {
    const named = matchExpressions.find(({ key, operator }) => key === hostname && operator === 'In');
    if (!named) return undefined;
    for (const host of named.values ?? []) hosts.add(host);
  }
  return terms.length > 0 ? hosts : undefined;
}
