import { persistentvolumeclaims, type Pod } from '../../../api/core/v1.gen.ts';
import type { ClusterEvent, QueueingHint } from '../../cluster-event.ts';
import { stateKey, type CycleState } from '../../cycle-state.ts';
import type { PluginFactory } from '../../framework.ts';
import type { PodInfo } from '../../pod-info.ts';
import { SKIP, unresolvable, unschedulable } from '../../status.ts';
import { namedClaims } from './claim-volumes.ts';
import { exclusiveDisks, isSameDisk } from './disk-conflict.ts';
import { claimHint } from './volume-binding.ts';

const name = 'VolumeRestrictions';
const diskTaken = unschedulable('node(s) had no available disk');
const claimTaken = unschedulable(
  'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
);

interface Exclusive {
  /** `namespace/name` of the pod's claims that only one pod may use. */
  readonly claims: ReadonlySet<string>;
  /** Uses of those claims by pods that are placed. */
  uses: number;
}

const exclusive = stateKey<Exclusive>(name);

/** Keeps a disk, or a claim with access mode ReadWriteOncePod, from being used twice. */
export const volumeRestrictions: PluginFactory = {
  name,
  create({ informers, snapshot }) {
    const claimCache = informers.for(persistentvolumeclaims);
    const change = (state: CycleState, other: PodInfo, by: 1 | -1): void => {
      const held = state.read(exclusive);
      if (!held) return;
      for (const key of keysOf(other)) if (held.claims.has(key)) held.uses += by;
    };
    return {
      name,
      preFilter(state, pod) {
        const claims = new Set<string>();
        for (const claimName of namedClaims(pod.pod)) {
          const claim = claimCache.get(pod.namespace, claimName);
          if (!claim) return unresolvable(`persistentvolumeclaim ${JSON.stringify(claimName)} not found`);
          if (claim.spec.accessModes?.includes('ReadWriteOncePod'))
            claims.add(`${pod.namespace}/${claimName}`);
        }
        if (claims.size === 0 && exclusiveDisks(pod.pod).length === 0) return SKIP;
        let uses = 0;
        for (const key of claims) uses += snapshot.claimUses(key) > 0 ? 1 : 0;
        state.write(exclusive, { claims, uses });
        return undefined;
      },
      addPod: (state, _pod, added) => change(state, added, 1),
      removePod: (state, _pod, removed) => change(state, removed, -1),
      filter(state, { pod }, { pods }) {
        const disks = exclusiveDisks(pod);
        if (disks.length > 0) {
          for (const other of pods.values()) {
            const theirs = exclusiveDisks(other.pod);
            if (theirs.some((taken) => disks.some((disk) => isSameDisk(disk, taken)))) return diskTaken;
          }
        }
        return (state.read(exclusive)?.uses ?? 0) > 0 ? claimTaken : undefined;
      },
      eventsToRegister: () => [
        { resource: 'AssignedPod', actions: ['Delete'], hint: podGoneHint },
        { resource: 'Node', actions: ['Add'] },
        { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'], hint: claimHint },
      ],
    };
  },
};

function keysOf({ claims, namespace }: PodInfo): readonly string[] {
  return claims.map((claim) => `${namespace}/${claim}`);
}

/** A pod that goes matters when it used one of the pod's claims or disks. */
function podGoneHint({ pod, claims, namespace }: PodInfo, { previous }: ClusterEvent): QueueingHint {
  const gone = previous as Pod | undefined;
  if (!gone) return 'QueueSkip';
  const disks = exclusiveDisks(pod);
  const sharedDisk = exclusiveDisks(gone).some((taken) => disks.some((disk) => isSameDisk(disk, taken)));
  const sharedClaim =
    gone.metadata.namespace === namespace &&
    (gone.spec.volumes ?? []).some(({ persistentVolumeClaim }) =>
      claims.includes(persistentVolumeClaim?.claimName ?? ''),
    );
  return sharedDisk || sharedClaim ? 'Queue' : 'QueueSkip';
}
