import type { StatefulSet } from '../../api/apps/v1.gen.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1.gen.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { templateOf } from '../revisions/plan.ts';
import { isClaimGoing, retentionOwners } from './claim-owners.ts';
import {
  claimsOf,
  firstOrdinal,
  isWanted,
  memberName,
  memberPod,
  ordinalOf,
  repairedMember,
} from './identity.ts';
import {
  isAvailable,
  isHealthy,
  isOrdered,
  type Member,
  type StatefulSetObservation,
} from './observation.ts';
import { outdatedPods } from './rolling.ts';

/** One write, or several that belong together. */
export type StatefulSetStep =
  /** Create the claims, then the pod. */
  | { readonly step: 'create'; readonly pod: Pod; readonly claims: readonly PersistentVolumeClaim[] }
  /** A member cannot be created for now. */
  | { readonly step: 'refuse'; readonly pod: Pod; readonly reason: string }
  /** Create claims that a pending pod waits for. */
  | { readonly step: 'provide'; readonly pod: Live<Pod>; readonly claims: readonly PersistentVolumeClaim[] }
  | {
      readonly step: 'own';
      readonly claim: Live<PersistentVolumeClaim>;
      readonly owners: readonly OwnerReference[];
    }
  | { readonly step: 'repair'; readonly pod: Live<Pod> }
  | { readonly step: 'delete'; readonly pod: Live<Pod> };

/**
 * What to do now, in this order. `OrderedReady` goes on to the next member only when all before it are available and
 * stay so; `Parallel` does everything at once. Scaling comes before updating.
 */
export function planSteps(observation: StatefulSetObservation): readonly StatefulSetStep[] {
  const { set } = observation;
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const ordered = isOrdered(set);
  const wanted = wantedMembers(observation);
  const steps: StatefulSetStep[] = [];
  for (const member of wanted) {
    const next = planMember(observation, member);
    steps.push(...next.steps);
    if (ordered && next.blocks) return steps;
  }
  const condemned = condemnedMembers(observation);
  steps.push(...condemned.flatMap((member) => planOwners(observation, member)));
  const scaling = planScalingDown(observation, wanted, condemned);
  steps.push(...scaling.steps);
  if (ordered && scaling.blocks) return steps;
  if (set.spec.updateStrategy?.type === 'OnDelete') return steps;
  return [...steps, ...outdatedPods(observation, wanted).map(removal)];
}

interface Progress {
  readonly steps: readonly StatefulSetStep[];
  /** Nothing else may be done before this member has come further. */
  readonly blocks: boolean;
}

function planMember(observation: StatefulSetObservation, member: Member): Progress {
  const { set } = observation;
  const { pod, ordinal } = member;
  if (!pod) return planCreation(observation, ordinal);
  const deleting = pod.metadata.deletionTimestamp !== undefined;
  if (isPodFinished(pod)) return { steps: deleting ? [] : [{ step: 'delete', pod }], blocks: true };
  const steps: StatefulSetStep[] = [];
  if (pod.status?.phase === 'Pending') {
    const claims = missingClaims(observation, ordinal);
    if (claims.length > 0) steps.push({ step: 'provide', pod, claims });
  }
  const repaired = deleting ? undefined : repairedMember(set, ordinal, pod);
  if (isAvailable(observation, pod)) {
    if (repaired) steps.push({ step: 'repair', pod: repaired });
    return { steps: [...steps, ...planOwners(observation, member)], blocks: false };
  }
  if (!isOrdered(set) && repaired) steps.push({ step: 'repair', pod: repaired });
  return { steps: [...steps, ...planOwners(observation, member)], blocks: true };
}

function planCreation(observation: StatefulSetObservation, ordinal: number): Progress {
  const { set, claim, current, update } = observation;
  const name = memberName(set, ordinal);
  const existing = claimsOf(set, ordinal).flatMap((one) => claim(one.claim.metadata.name ?? '') ?? []);
  if (existing.some((one) => isClaimGoing(set, name, one))) return { steps: [], blocks: true };
  const revision = isKeptBack(set, ordinal) ? current : update;
  const pod = memberPod(set, ordinal, {
    template: templateOf(revision),
    revision: revision.metadata.name,
  });
  const doomed = existing.find(({ metadata }) => metadata.deletionTimestamp !== undefined);
  if (doomed) {
    const reason = `pvc ${doomed.metadata.name} is being deleted`;
    return { steps: [{ step: 'refuse', pod, reason }], blocks: true };
  }
  return { steps: [{ step: 'create', pod, claims: missingClaims(observation, ordinal) }], blocks: true };
}

/** Whether a new member still gets the revision from before the update. */
function isKeptBack(set: StatefulSet, ordinal: number): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type !== 'RollingUpdate') return false;
  const index = ordinal - firstOrdinal(set);
  return index < (rollingUpdate ? (rollingUpdate.partition ?? 0) : (set.status?.currentReplicas ?? 0));
}

function missingClaims(
  { set, claim }: StatefulSetObservation,
  ordinal: number,
): readonly PersistentVolumeClaim[] {
  return claimsOf(set, ordinal)
    .map((one) => one.claim)
    .filter(({ metadata }) => !claim(metadata.name ?? ''));
}

/** Gives the claims of a member the owners that the retention policy asks for. */
function planOwners(
  { set, claim }: StatefulSetObservation,
  { pod, ordinal }: Member,
): readonly StatefulSetStep[] {
  if (!pod) return [];
  return claimsOf(set, ordinal).flatMap((one) => {
    const existing = claim(one.claim.metadata.name ?? '');
    const owners = existing && retentionOwners({ set, pod, ordinal, claim: existing });
    return owners ? [{ step: 'own' as const, claim: existing, owners }] : [];
  });
}

/** Highest number first; in order, one at a time, and an unavailable one goes only when it is the first of all, or over. */
function planScalingDown(
  observation: StatefulSetObservation,
  wanted: readonly Member[],
  condemned: readonly Member[],
): Progress {
  const members = condemned.flatMap(({ pod }) => pod ?? []);
  const staying = members.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  if (!isOrdered(observation.set)) return { steps: staying.map(removal), blocks: false };
  const [last] = members;
  if (!last) return { steps: [], blocks: false };
  if (last.metadata.deletionTimestamp !== undefined) return { steps: [], blocks: true };
  const firstUnhealthy =
    wanted.find(({ pod }) => !pod || !isHealthy(pod))?.pod ?? members.findLast((pod) => !isHealthy(pod));
  const may = isAvailable(observation, last) || last === firstUnhealthy || isPodFinished(last);
  return { steps: may ? [removal(last)] : [], blocks: true };
}

/** The places that the set's size asks for, lowest first. */
function wantedMembers({ set, pods }: StatefulSetObservation): readonly Member[] {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod.metadata.name), pod]));
  return Array.from({ length: set.spec.replicas ?? 1 }, (_, index) => {
    const ordinal = firstOrdinal(set) + index;
    return { ordinal, pod: byOrdinal.get(ordinal) };
  });
}

/** Members beyond the set's size, highest first. */
function condemnedMembers({ set, pods }: StatefulSetObservation): readonly Member[] {
  return pods
    .flatMap((pod): Member[] => {
      const ordinal = ordinalOf(set, pod.metadata.name);
      return ordinal === undefined || isWanted(set, ordinal) ? [] : [{ ordinal, pod }];
    })
    .sort((a, b) => b.ordinal - a.ordinal);
}

function removal(pod: Live<Pod>): StatefulSetStep {
  return { step: 'delete', pod };
}
