import type { NodeInfo } from './node-info.ts';

type Labels = Readonly<Record<string, string>>;

const regionLabels = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'];
const zoneLabels = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'];

/** Nodes taken in turn from each zone, zones and nodes in the order in which they were first seen (upstream's node tree). */
export function interleaveZones(nodes: Iterable<NodeInfo>): readonly NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const node of nodes) {
    const zone = `${labelOf(node.labels, regionLabels)}\0${labelOf(node.labels, zoneLabels)}`;
    const members = zones.get(zone);
    if (members) members.push(node);
    else zones.set(zone, [node]);
  }
  const [only, second] = zones.values();
  if (!second) return only ?? [];
  const ordered: NodeInfo[] = [];
  const lists = [...zones.values()];
  const longest = Math.max(...lists.map((list) => list.length));
  for (let index = 0; index < longest; index++) {
    for (const list of lists) {
      const node = list[index];
      if (node) ordered.push(node);
    }
  }
  return ordered;
}

/** Whether nodes with these labels take the same place among the others. */
export function sameZone(a: Labels, b: Labels): boolean {
  return [regionLabels, zoneLabels].every((names) => labelOf(a, names) === labelOf(b, names));
}

function labelOf(labels: Labels, names: readonly string[]): string {
  for (const name of names) {
    const value = labels[name];
    if (value) return value;
  }
  return '';
}
