import type { Pod } from '../../api/core/v1.gen.ts';
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../api/resource/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { controllerOf } from '../../reconcile/owner.ts';
import { isPodFinished } from '../pods/pod-state.ts';

/** Keeps an allocated claim from vanishing before its devices are free again. */
const deleteProtection = 'resource.kubernetes.io/delete-protection';

/** What is to be done for a claim; steps come one at a time, each seen before the next. */
export type ClaimPlan =
  | { readonly do: 'nothing' }
  /** `finalizers`: what is left of them once that is written. */
  | {
      readonly do: 'status';
      readonly status: NonNullable<ResourceClaim['status']>;
      readonly finalizers?: readonly string[];
    }
  | { readonly do: 'finalizers'; readonly finalizers: readonly string[] }
  | { readonly do: 'delete' };

/** How many pods a claim can be reserved for. */
const reservationLimit = 256;

/**
 * Decides about a claim as upstream: reservations of pods that are gone or done are taken back, a claim that nobody
 * uses any more gives its devices back, and one that was made for a pod goes with that pod. Protection without devices
 * stays: the scheduler adds it first.
 */
export function planClaim(
  claim: Live<ResourceClaim>,
  pod: (name: string) => Live<Pod> | undefined,
): ClaimPlan {
  const { status, metadata } = claim;
  const reservations = status?.reservedFor ?? [];
  const valid = reservations.filter((reference) => stillUses(reference, pod));
  const { reservedFor: _former, allocation, ...kept } = status ?? {};
  const finalizers = metadata.finalizers ?? [];
  const isProtected = finalizers.includes(deleteProtection);
  const unprotected = finalizers.filter((name) => name !== deleteProtection);
  const unused = valid.length === 0;
  const releases =
    allocation !== undefined &&
    unused &&
    isProtected &&
    (reservations.length > 0 || metadata.deletionTimestamp !== undefined);
  if (valid.length !== reservations.length || releases) {
    return {
      do: 'status',
      status: {
        ...(releases ? {} : kept),
        ...(allocation && !releases && { allocation }),
        ...(valid.length > 0 && { reservedFor: valid }),
      },
      ...(releases && { finalizers: unprotected }),
    };
  }
  if (!unused) return { do: 'nothing' };
  if (isProtected && allocation === undefined && metadata.deletionTimestamp !== undefined)
    return { do: 'finalizers', finalizers: unprotected };
  const owner = controllerOf(claim);
  if (owner?.kind !== 'Pod' || metadata.deletionTimestamp !== undefined) return { do: 'nothing' };
  const held = pod(owner.name);
  const isDone = !held || held.metadata.uid !== owner.uid || isPodDone(held);
  return isDone ? { do: 'delete' } : { do: 'nothing' };
}

function stillUses(
  { apiGroup = '', resource, name, uid }: ResourceClaimConsumerReference,
  pod: (name: string) => Live<Pod> | undefined,
): boolean {
  if (apiGroup !== '' || resource !== 'pods') return true;
  const held = pod(name);
  return held !== undefined && held.metadata.uid === uid && !isPodDone(held);
}

/** Finished, or deleted before it got a node: it runs nothing any more, or never will. */
function isPodDone(pod: Live<Pod>): boolean {
  return isPodFinished(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);
}

/** The claim's status with a pod that already has a node and needs it; undefined when it cannot or need not have it. */
export function reserveFor(claim: Live<ResourceClaim>, pod: Live<Pod>): ResourceClaim['status'] {
  const { status } = claim;
  const reserved = status?.reservedFor ?? [];
  const { name, uid } = pod.metadata;
  if (!status?.allocation || reserved.some((reference) => reference.uid === uid)) return undefined;
  if (reserved.length >= reservationLimit || claim.metadata.deletionTimestamp !== undefined) return undefined;
  return { ...status, reservedFor: [...reserved, { resource: 'pods', name, uid }] };
}
