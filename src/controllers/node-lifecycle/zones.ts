import type { Node } from '../../api/core/v1.gen.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

/** kube-controller-manager's flags about evictions, with its defaults. */
export interface ZoneSettings {
  /** `--node-eviction-rate`: nodes per second in a healthy zone. */
  readonly evictionRate: number;
  /** `--secondary-node-eviction-rate`: the same in a large zone that is partly down. */
  readonly secondaryEvictionRate: number;
  /** `--large-cluster-size-threshold`: smaller zones that are partly down are left alone. */
  readonly largeZoneSize: number;
  /** `--unhealthy-zone-threshold`: from this share of nodes on, a zone is partly down. */
  readonly unhealthyShare: number;
}

export const defaultZoneSettings: ZoneSettings = {
  evictionRate: 0.1,
  secondaryEvictionRate: 0.01,
  largeZoneSize: 50,
  unhealthyShare: 0.55,
};

export type ZoneState = 'normal' | 'partial' | 'full';

export interface ZoneCount {
  readonly ready: number;
  readonly notReady: number;
}

/** Two nodes or fewer never make a zone partly down. */
const leastUnhealthy = 3;

export function zoneState({ ready, notReady }: ZoneCount, { unhealthyShare }: ZoneSettings): ZoneState {
  if (ready === 0 && notReady > 0) return 'full';
  const share = notReady / (ready + notReady);
  return notReady >= leastUnhealthy && share >= unhealthyShare ? 'partial' : 'normal';
}

/** How many nodes of a zone may be emptied per second, as long as other zones are better. */
export function evictionRate(count: ZoneCount, settings: ZoneSettings): number {
  if (zoneState(count, settings) !== 'partial') return settings.evictionRate;
  const size = count.ready + count.notReady;
  return size > settings.largeZoneSize ? settings.secondaryEvictionRate : 0;
}

/** A node's failure domain; '' for nodes without labels of one. */
export function zoneOf({ metadata }: Node): string {
  const label = (name: string): string =>
    metadata.labels?.[`topology.kubernetes.io/${name}`] ??
    metadata.labels?.[`failure-domain.beta.kubernetes.io/${name}`] ??
    '';
  const [region, zone] = [label('region'), label('zone')];
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`;
}

/** Counts the nodes of each zone. Left out: nodes that never reported, and those labelled to be. */
export function countZones(nodes: readonly Node[]): ReadonlyMap<string, ZoneCount> {
  const zones = new Map<string, ZoneCount>();
  for (const node of nodes) {
    const ready = conditionOf(node.status?.conditions, 'Ready');
    if (!ready || node.metadata.labels?.['node.kubernetes.io/exclude-disruption'] !== undefined) continue;
    const zone = zoneOf(node);
    const count = zones.get(zone) ?? { ready: 0, notReady: 0 };
    zones.set(
      zone,
      ready.status === 'True'
        ? { ...count, ready: count.ready + 1 }
        : { ...count, notReady: count.notReady + 1 },
    );
  }
  return zones;
}

/** Whether every zone is down: then it is rather the controller that is cut off, and nothing is evicted. */
export function isEverythingDown(zones: ReadonlyMap<string, ZoneCount>): boolean {
  return zones.size > 0 && [...zones.values()].every(({ ready }) => ready === 0);
}
