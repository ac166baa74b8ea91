import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { foregroundFinalizer, orphanFinalizer, type GraphNode } from './owner-graph.ts';

/** What became of an owner. */
export type OwnerState = 'present' | 'absent' | 'waiting for dependents';

/** What to do about an object whose owners may be gone. */
export type CollectionPlan =
  | { readonly action: 'keep' }
  /** Other owners remain: only these references go. */
  | { readonly action: 'drop references'; readonly keep: readonly OwnerReference[] }
  | {
      readonly action: 'delete';
      readonly propagation: 'Foreground' | 'Background' | 'Orphan';
      /** References to stop blocking first, to break a circle of objects that wait for each other. */
      readonly unblock: boolean;
    };

/** Decides from the object as the server has it and the state of each of its owners. */
export function planCollection(
  object: Live<KubeObject>,
  node: GraphNode,
  stateOf: (reference: OwnerReference) => OwnerState,
): CollectionPlan {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return { action: 'keep' };
  const keep = references.filter((reference) => stateOf(reference) === 'present');
  if (keep.length === references.length) return { action: 'keep' };
  if (keep.length > 0) return { action: 'drop references', keep };
  const waiting = references.some((reference) => stateOf(reference) === 'waiting for dependents');
  if (waiting && node.dependents.size > 0) {
    const unblock = [...node.dependents].some(({ deletion }) => deletion === 'waiting for dependents');
    return { action: 'delete', propagation: 'Foreground', unblock };
  }
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(orphanFinalizer))
    return { action: 'delete', propagation: 'Orphan', unblock: false };
  const propagation = finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background';
  return { action: 'delete', propagation, unblock: false };
}
