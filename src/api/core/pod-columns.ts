import type { Column } from '../resource.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { summarizePod } from './pod-status.ts';
import type { Pod } from './v1.gen.ts';

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const conditions = pod.status?.conditions ?? [];
  const passed = gates.filter(({ conditionType }) =>
    conditions.some(({ type, status }) => type === conditionType && status === 'True'),
  );
  return `${passed.length}/${gates.length}`;
}

/** `kubectl get pods`. */
export const podColumns: readonly Column<Pod>[] = [
  nameColumn(),
  { name: 'Ready', type: 'string', cell: (pod, now) => summarizePod(pod, now).ready },
  { name: 'Status', type: 'string', cell: (pod, now) => summarizePod(pod, now).status },
  { name: 'Restarts', type: 'string', cell: (pod, now) => summarizePod(pod, now).restarts },
  ageColumn(),
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.podIPs?.[0]?.ip || status?.podIP || '<none>',
  },
  { name: 'Node', type: 'string', priority: 1, cell: ({ spec }) => spec.nodeName || '<none>' },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.nominatedNodeName || '<none>',
  },
  { name: 'Readiness Gates', type: 'string', priority: 1, cell: readinessGates },
];
