import type { Node, Service } from '../../api/core/v1.gen.ts';
import type { Endpoint } from '../../api/discovery/v1.gen.ts';
import { parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

/** By how much more than its share a zone may be loaded. */
const overload = 0.2;

/** Whether a service wants its endpoints shared out over zones by their processors. */
export function wantsTopology({ metadata, spec }: Service): boolean {
  const mode =
    metadata.annotations?.['service.kubernetes.io/topology-mode'] ??
    metadata.annotations?.['service.kubernetes.io/topology-aware-hints'];
  return (mode === 'Auto' || mode === 'auto') && spec.clusterIP !== 'None';
}

const excludedLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** The part of the processors of all ready nodes that each zone has; undefined when a node does not tell zone or processors. */
export function zoneShares(nodes: readonly Node[]): ReadonlyMap<string, number> | undefined {
  const cpus = new Map<string, number>();
  let total = 0;
  for (const { metadata, status } of nodes) {
    if (excludedLabels.some((label) => metadata.labels?.[label] !== undefined)) continue;
    if (conditionOf(status?.conditions, 'Ready')?.status !== 'True') continue;
    const zone = metadata.labels?.['topology.kubernetes.io/zone'];
    const cpu = Number(quantityMilliValue(parseQuantity(status?.allocatable?.['cpu'] ?? '0')));
    if (!zone || cpu === 0) return undefined;
    cpus.set(zone, (cpus.get(zone) ?? 0) + cpu);
    total += cpu;
  }
  return new Map([...cpus].map(([zone, cpu]) => [zone, cpu / total]));
}

/** Endpoints with hints, or without any and why. */
export interface TopologyResult {
  readonly endpoints: readonly Endpoint[];
  /** In upstream's words. */
  readonly problem?: string;
}

/**
 * Gives every ready endpoint the zone that should use it: its own, except for those that move from zones with more than
 * their share to zones with less. All or none, as the topology-aware routing document says.
 */
export function withTopology(
  endpoints: readonly Endpoint[],
  shares: ReadonlyMap<string, number> | undefined,
): TopologyResult {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready === true);
  const problem = problemOf(ready, shares);
  if (!shares || problem !== undefined) return { endpoints, ...(problem !== undefined && { problem }) };
  const zones = assign(ready, shares);
  return {
    endpoints: endpoints.map((endpoint) => {
      const name = zones.get(endpoint);
      return name === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name }] } };
    }),
  };
}

function problemOf(
  ready: readonly Endpoint[],
  shares: ReadonlyMap<string, number> | undefined,
): string | undefined {
  if (!shares)
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  if (shares.size < 2) return 'Nodes only ready in one zone';
  if (shares.size > ready.length)
    return `Insufficient number of endpoints (${ready.length}), impossible to safely allocate proportionally`;
  const least = [...shares.values()].reduce((sum, share) => sum + leastOf(share * ready.length), 0);
  if (least > ready.length) return 'Minimum allocation of required endpoints exceeds overload threshold';
  return ready.some(({ zone }) => !zone) ? 'One or more endpoints do not have a zone specified' : undefined;
}

function leastOf(desired: number): number {
  return Math.ceil(desired / (1 + overload));
}

function assign(
  ready: readonly Endpoint[],
  shares: ReadonlyMap<string, number>,
): ReadonlyMap<Endpoint, string> {
  const members = new Map<string, Endpoint[]>([...shares.keys()].sort().map((zone) => [zone, []]));
  for (const endpoint of ready.toSorted((a, b) => ((a.addresses[0] ?? '') < (b.addresses[0] ?? '') ? -1 : 1)))
    members.set(endpoint.zone ?? '', [...(members.get(endpoint.zone ?? '') ?? []), endpoint]);
  const surplusOf = ([zone, held]: readonly [string, readonly Endpoint[]]): number =>
    held.length - (shares.get(zone) ?? 0) * ready.length;
  for (;;) {
    const ordered = [...members].sort((a, b) => surplusOf(b) - surplusOf(a));
    const [giver, receiver] = [ordered[0], ordered.at(-1)];
    if (!giver || !receiver) break;
    const [surplus, deficit] = [surplusOf(giver), -surplusOf(receiver)];
    const isShort = receiver[1].length < leastOf((shares.get(receiver[0]) ?? 0) * ready.length);
    const isForeign = !shares.has(giver[0]) && giver[1].length > 0;
    // A move that only swaps the roles of two zones changes nothing for the better.
    if (!(surplus >= 1 && deficit > 0) && !(isShort && surplus > 0) && !isForeign) break;
    if (surplus - 1 <= -deficit && !isShort && !isForeign) break;
    const moved = giver[1].at(-1);
    if (!moved) break;
    members.set(giver[0], giver[1].slice(0, -1));
    members.set(receiver[0], [...receiver[1], moved]);
  }
  return new Map([...members].flatMap(([zone, held]) => held.map((endpoint) => [endpoint, zone] as const)));
}
