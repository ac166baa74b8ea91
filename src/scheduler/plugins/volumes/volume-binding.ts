import { persistentvolumeclaims, persistentvolumes } from '../../../api/core/v1.gen.ts';
import {
  csidrivers,
  csistoragecapacities,
  storageclasses,
  type CSIDriver,
  type CSIStorageCapacity,
  type StorageClass,
} from '../../../api/storage/v1.gen.ts';
import { compareQuantities, parseQuantity, type Quantity } from '../../../machinery/quantity.ts';
import { deepEqual } from '../../../reconcile/deep-equal.ts';
import { AssumeCache } from '../../assume-cache.ts';
import type { ClusterEvent, QueueingHint } from '../../cluster-event.ts';
import { stateKey } from '../../cycle-state.ts';
import type { PluginFactory } from '../../framework.ts';
import type { PodInfo } from '../../pod-info.ts';
import { errorStatus, SKIP, unresolvable } from '../../status.ts';
import { bindVolumes } from './bind-volumes.ts';
import { claimUses, classNameOf, podClaims } from './claim-volumes.ts';
import {
  volumeFinder,
  type FindVolumes,
  type VolumeConflict,
  type VolumeDecisions,
  type VolumeLookup,
} from './find-volumes.ts';
import { assumedClaim, assumedVolume } from './volume-decisions.ts';

const name = 'VolumeBinding';

const reasons: Readonly<Record<VolumeConflict, string>> = {
  'node-affinity': "node(s) didn't match PersistentVolume's node affinity",
  'no-volume': "node(s) didn't find available persistent volumes to bind",
  'no-space': 'node(s) did not have enough free storage',
  'missing-volume': 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
};

interface VolumeState {
  readonly find: FindVolumes;
  readonly decisions: Map<string, VolumeDecisions>;
}

const finder = stateKey<VolumeState>(name);
const assumed = stateKey<VolumeDecisions>(`${name} assumed`);

/** Sends pods where their volumes are or can be made, and binds or asks for those volumes before the pod is bound. */
export const volumeBinding: PluginFactory = {
  name,
  create({ client, informers, clock, signal }, { VolumeBinding: { bindTimeoutSeconds } }) {
    const claims = new AssumeCache(informers.for(persistentvolumeclaims));
    const volumes = new AssumeCache(informers.for(persistentvolumes));
    const classes = informers.for(storageclasses);
    const drivers = informers.for(csidrivers);
    const capacities = informers.for(csistoragecapacities);
    const lookup: VolumeLookup & { claim: typeof claims.get } = {
      claim: (namespace, claimName) => claims.get(namespace, claimName),
      volume: (volumeName) => volumes.get(undefined, volumeName),
      volumesOfClass: (className) => volumes.list().filter((volume) => classNameOf(volume) === className),
      storageClass: (className) => classes.get(undefined, className),
      driver: (driverName) => drivers.get(undefined, driverName),
      capacities: () => capacities.list(),
    };
    const forget = ({ bindings, provisions }: VolumeDecisions): void => {
      for (const { volume } of bindings) volumes.restore(volume);
      for (const claim of provisions) claims.restore(claim);
    };
    return {
      name,
      preFilter(state, { pod, claims: used }) {
        if (used.length === 0) return SKIP;
        const found = podClaims(pod, lookup);
        if (typeof found === 'string') return unresolvable(found);
        if (found.immediate.length > 0)
          return unresolvable('pod has unbound immediate PersistentVolumeClaims');
        state.write(finder, { find: volumeFinder(found, lookup), decisions: new Map() });
        return undefined;
      },
      filter(state, _pod, { node, name: nodeName }) {
        const held = state.read(finder);
        if (!held) return undefined;
        const found = held.find(node);
        if (isConflict(found)) return unresolvable(...found.map((conflict) => reasons[conflict]));
        held.decisions.set(nodeName, found);
        return undefined;
      },
      reserve(state, _pod, nodeName) {
        const decided = state.read(finder)?.decisions.get(nodeName);
        if (!decided || decided.bindings.length + decided.provisions.length === 0) return undefined;
        const decisions: VolumeDecisions = {
          bindings: decided.bindings.map(({ claim, volume }) => ({
            claim,
            volume: assumedVolume(volume, claim),
          })),
          provisions: decided.provisions.map((claim) => assumedClaim(claim, nodeName)),
        };
        for (const { volume } of decisions.bindings) volumes.assume(volume);
        for (const claim of decisions.provisions) claims.assume(claim);
        state.write(assumed, decisions);
        return undefined;
      },
      unreserve(state) {
        const decisions = state.read(assumed);
        if (decisions) forget(decisions);
        state.delete(assumed);
      },
      async preBind(state, pod, nodeName) {
        const decisions = state.read(assumed);
        if (!decisions) return undefined;
        try {
          await bindVolumes(decisions, {
            client,
            informers,
            clock,
            signal,
            pod,
            nodeName,
            bindTimeoutSeconds,
          });
          return undefined;
        } catch (error) {
          return errorStatus(error);
        }
      },
      eventsToRegister: () => [
        { resource: 'StorageClass', actions: ['Add', 'Update'], hint: (_pod, event) => classHint(event) },
        { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'], hint: claimHint },
        { resource: 'PersistentVolume', actions: ['Add', 'Update'] },
        { resource: 'Node', actions: ['Add', 'UpdateNodeLabel'] },
        { resource: 'CSINode', actions: ['Add', 'Update'], hint: (_pod, event) => csiNodeHint(event) },
        { resource: 'CSIDriver', actions: ['Update'], hint: (_pod, event) => driverHint(event) },
        {
          resource: 'CSIStorageCapacity',
          actions: ['Add', 'Update'],
          hint: (_pod, event) => capacityHint(event),
        },
      ],
    };
  },
};

function isConflict(found: VolumeDecisions | readonly VolumeConflict[]): found is readonly VolumeConflict[] {
  return Array.isArray(found);
}

function classHint({ previous, next }: ClusterEvent): QueueingHint {
  if (!previous) return 'Queue';
  const before = (previous as StorageClass).allowedTopologies;
  return deepEqual(before, (next as StorageClass).allowedTopologies) ? 'QueueSkip' : 'Queue';
}

/** Only claims of the pod matter. */
export function claimHint({ pod, namespace }: PodInfo, { previous, next }: ClusterEvent): QueueingHint {
  const claim = next ?? previous;
  if (claim?.metadata.namespace !== namespace) return 'QueueSkip';
  return claimUses(pod).some((use) => use.name === claim.metadata.name) ? 'Queue' : 'QueueSkip';
}

function csiNodeHint({ previous, next }: ClusterEvent): QueueingHint {
  const migrated = 'storage.alpha.kubernetes.io/migrated-plugins';
  if (!previous) return 'Queue';
  return previous.metadata.annotations?.[migrated] === next?.metadata.annotations?.[migrated]
    ? 'QueueSkip'
    : 'Queue';
}

function driverHint({ previous, next }: ClusterEvent): QueueingHint {
  const before = (previous as CSIDriver | undefined)?.spec.storageCapacity;
  return before && !(next as CSIDriver).spec.storageCapacity ? 'Queue' : 'QueueSkip';
}

function capacityHint({ previous, next }: ClusterEvent): QueueingHint {
  if (!previous) return 'Queue';
  const before = limitOf(previous as CSIStorageCapacity);
  const after = limitOf(next as CSIStorageCapacity);
  return after && (!before || compareQuantities(after, before) > 0) ? 'Queue' : 'QueueSkip';
}

function limitOf({ maximumVolumeSize, capacity }: CSIStorageCapacity): Quantity | undefined {
  const limit = maximumVolumeSize ?? capacity;
  return limit === undefined ? undefined : parseQuantity(limit);
}
