import type { Column } from '../resource.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import type { Node } from './v1.gen.ts';

const rolePrefix = 'node-role.kubernetes.io/';
const roleLabel = 'kubernetes.io/role';

function status(node: Node): string {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (node.spec.unschedulable) words.push('SchedulingDisabled');
  return words.join(',');
}

function roles(node: Node): string {
  const found = Object.entries(node.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)];
    return key === roleLabel ? [value] : [];
  });
  return [...new Set(found.filter(Boolean))].sort().join(',') || '<none>';
}

function address(node: Node, type: string): string {
  return node.status?.addresses?.find((one) => one.type === type)?.address || '<none>';
}

/** `kubectl get nodes`. */
export const nodeColumns: readonly Column<Node>[] = [
  nameColumn(),
  { name: 'Status', type: 'string', cell: status },
  { name: 'Roles', type: 'string', cell: roles },
  ageColumn(),
  { name: 'Version', type: 'string', cell: (node) => node.status?.nodeInfo?.kubeletVersion ?? '' },
  { name: 'Internal-IP', type: 'string', priority: 1, cell: (node) => address(node, 'InternalIP') },
  { name: 'External-IP', type: 'string', priority: 1, cell: (node) => address(node, 'ExternalIP') },
  {
    name: 'OS-Image',
    type: 'string',
    priority: 1,
    cell: (node) => node.status?.nodeInfo?.osImage || '<unknown>',
  },
  {
    name: 'Kernel-Version',
    type: 'string',
    priority: 1,
    cell: (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>',
  },
  {
    name: 'Container-Runtime',
    type: 'string',
    priority: 1,
    cell: (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
  },
];
