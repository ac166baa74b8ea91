import { groupBy } from '../base/group-by.ts';
import type { Findings, NodeFinding, PodFinding } from '../cluster/simulate/what-if.ts';

/** Pods of one owner with one reason are one line. */
const MOST_PODS = 50;

/** The answer of a simulation for people. */
export function printFindings(findings: Findings): string {
  const { pods, lostNodes, nodesToAdd } = findings;
  const lines = [
    `PODS      ${pods.placed} placed, ${pods.pending} without a place${pods.pendingBefore > 0 ? ` (${pods.pendingBefore} before)` : ''}${pods.lost > 0 ? `, ${pods.lost} lost` : ''}`,
    ...(lostNodes.length > 0 ? [`NODES     ${lostNodes.length} lost: ${shortened(lostNodes)}`] : []),
    ...nodesToAdd.map(({ group, count }) => `NODES     ${count} of ${group} to add`),
    ...podLines('WITHOUT A PLACE', findings.pending),
    ...podLines('LOST', findings.lost),
    '',
    ...nodeLines(findings.nodes),
  ];
  return `${lines.join('\n')}\n`;
}

function podLines(title: string, pods: readonly PodFinding[]): string[] {
  if (pods.length === 0) return [];
  const groups = [
    ...groupBy(pods, (pod) => `${pod.namespace}/${pod.owner ?? pod.name}\0${pod.reason}`).values(),
  ];
  const rows = groups.slice(0, MOST_PODS).flatMap((group) => {
    const [first] = group;
    return first ? [[first.namespace, first.owner ?? first.name, String(group.length), first.reason]] : [];
  });
  const more = groups.length > MOST_PODS ? [`… and ${groups.length - MOST_PODS} more`] : [];
  return ['', title, ...table(['NAMESPACE', 'OWNER', 'PODS', 'REASON'], rows), ...more];
}

function nodeLines(nodes: readonly NodeFinding[]): string[] {
  const rows = nodes.map(({ name, zone = '', group, cpu, memory, pods }) => [
    group === undefined ? name : `${name} (new)`,
    zone,
    ...[cpu, memory, pods].map(
      ({ requested, allocatable, percent }) => `${requested}/${allocatable} (${percent}%)`,
    ),
  ]);
  return table(['NODE', 'ZONE', 'CPU', 'MEMORY', 'PODS'], rows);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => (row[at] ?? '').length)));
  return [heads, ...rows].map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('   ')
      .trimEnd(),
  );
}

function shortened(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}
