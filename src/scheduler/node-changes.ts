import type { Node } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { deepEqual } from '../reconcile/deep-equal.ts';
import type { ClusterEvent, EventAction } from './cluster-event.ts';

type NodePart = readonly [action: EventAction, part: (node: Live<Node>) => unknown];

const parts: readonly NodePart[] = [
  ['UpdateNodeAllocatable', ({ status }) => status?.allocatable],
  ['UpdateNodeLabel', ({ metadata }) => metadata.labels],
  ['UpdateNodeTaint', ({ spec }) => [spec.taints ?? [], spec.unschedulable ?? false]],
  [
    'UpdateNodeCondition',
    ({ status }) => status?.conditions?.map(({ type, status: state }) => [type, state]),
  ],
  ['UpdateNodeAnnotation', ({ metadata }) => metadata.annotations],
  ['UpdateNodeDeclaredFeature', ({ status }) => status?.declaredFeatures],
];

/** What changed of a node that scheduling may care for; heartbeats are nothing. */
export function nodeChanges(next: Live<Node>, previous: Live<Node>): readonly ClusterEvent[] {
  return parts
    .filter(([, part]) => !deepEqual(part(next), part(previous)))
    .map(([action]) => ({ resource: 'Node', action, previous, next }));
}
