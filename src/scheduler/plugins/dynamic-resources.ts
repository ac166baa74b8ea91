import type { Node, NodeSelector } from '../../api/core/v1.gen.ts';
import {
  deviceclasses,
  resourceclaims,
  resourceslices,
  type AllocationResult,
  type ResourceClaim,
} from '../../api/resource/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { AssumeCache } from '../assume-cache.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import { stateKey } from '../cycle-state.ts';
import type { Handle, PluginFactory } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import { errorStatus, SKIP, unresolvable, unschedulable, type Status } from '../status.ts';
import { allocateDevices, type ClaimToAllocate } from './devices/allocate-devices.ts';
import { allocatedDevices, type AllocatedDevices } from './devices/allocated-devices.ts';
import { allocationResult } from './devices/allocation-result.ts';
import { awaitBindingConditions, bindDeviceClaim } from './devices/bind-device-claims.ts';
import { DeviceMatcher } from './devices/device-matcher.ts';
import { devicePools, type DevicePools } from './devices/device-pools.ts';
import { parseRequests } from './devices/device-requests.ts';
import {
  canBeReserved,
  isReservedFor,
  podDeviceClaims,
  type DeviceClaim,
} from './devices/pod-device-claims.ts';
import { nodeSelectorMatches } from '../../api/core/node-selector.ts';

const name = 'DynamicResources';
const nothingToFree = unschedulable('no new claims to deallocate');
/** What upstream says of its missing state; it ends the search for room. */
const notSeen: Status = { code: 'Error', reasons: ['not found'] };
const inVain = unschedulable('still not schedulable');
const freed = unschedulable('deallocation of ResourceClaim completed');
const notHere = unresolvable('resourceclaim not available on the node');
const noDevices = unresolvable('cannot allocate all claims');
const tooSlow = unresolvable('timed out trying to allocate devices');

interface DeviceState {
  readonly claims: readonly DeviceClaim[];
  /** The claims among them that wait for devices. */
  readonly open: readonly ClaimToAllocate[];
  readonly allocated: AllocatedDevices;
  /** Where claims that have devices can be used. */
  readonly selectors: readonly (NodeSelector | undefined)[];
  /** By node name, for each open claim. */
  readonly found: Map<string, readonly AllocationResult[]>;
  /** Claims that kept the pod off some node. */
  readonly inTheWay: Set<DeviceClaim>;
}

const devices = stateKey<DeviceState>(name);
/** The pod was looked at: an earlier plug-in may have rejected it before. */
const seen = stateKey<true>(`${name} seen`);
const reserved = stateKey<ReadonlyMap<string, AllocationResult>>(`${name} reserved`);

class SearchTimeout extends Error {}

/** Finds devices for pods that claim some (structured parameters, KEP-4381). */
export const dynamicResources: PluginFactory = {
  name,
  create(handle, { DynamicResources: { filterTimeoutMs, bindingTimeoutMs } }) {
    const { client, informers, clock } = handle;
    const claimInformer = informers.for(resourceclaims);
    const claims = new AssumeCache(claimInformer);
    const classes = informers.for(deviceclasses);
    const matcher = new DeviceMatcher();
    const pools = poolCache(handle);
    /** Claims whose allocation is being written, by uid. */
    const inFlight = new Map<string, ResourceClaim>();
    const find = (pod: PodInfo): readonly DeviceClaim[] | string =>
      podDeviceClaims(pod.pod, (namespace, claimName) => claims.get(namespace, claimName));
    const search = (
      { open, allocated }: DeviceState,
      node: Node,
    ): readonly AllocationResult[] | undefined => {
      const end = clock.monotonic() + filterTimeoutMs;
      const solutions = allocateDevices({
        claims: open,
        pools: pools().reachableFrom(node),
        allocated,
        matcher,
        checkTime() {
          if (filterTimeoutMs > 0 && clock.monotonic() > end) throw new SearchTimeout();
        },
      });
      return solutions?.flatMap((solution, index) => {
        const claim = open[index];
        return claim ? [allocationResult(claim, solution)] : [];
      });
    };
    return {
      name,
      preEnqueue(pod) {
        if (!pod.pod.spec.resourceClaims) return undefined;
        const found = find(pod);
        return typeof found === 'string' ? unresolvable(found) : undefined;
      },
      preFilter(state, pod) {
        state.write(seen, true);
        if (!pod.pod.spec.resourceClaims) return SKIP;
        const found = find(pod);
        if (typeof found === 'string') return unresolvable(found);
        if (found.length === 0) return SKIP;
        const open: ClaimToAllocate[] = [];
        for (const claim of found) {
          if (claim.status?.allocation) {
            if (canBeReserved(claim) || isReservedFor(claim, pod.uid)) continue;
            return unresolvable('resourceclaim in use');
          }
          if (inFlight.has(claim.metadata.uid)) {
            const key = `${pod.namespace}/${claim.metadata.name}`;
            return unresolvable(`resource claim ${key} is in the process of being allocated`);
          }
          const requests = parseRequests(claim, (className) => classes.get(undefined, className));
          if (typeof requests === 'string') return unresolvable(requests);
          open.push({ claim, requests });
        }
        state.write(devices, {
          claims: found,
          open,
          allocated: allocatedDevices(open.length > 0 ? [...claims.list(), ...inFlight.values()] : []),
          selectors: found.map(({ status }) => status?.allocation?.nodeSelector),
          found: new Map(),
          inTheWay: new Set<DeviceClaim>(),
        });
        return undefined;
      },
      filter(state, _pod, { node }) {
        const held = state.read(devices);
        if (!held) return undefined;
        const blocking = held.claims.filter((_, index) => {
          const selector = held.selectors[index];
          return selector && !nodeSelectorMatches(selector, node);
        });
        try {
          const results = held.open.length > 0 ? search(held, node) : [];
          if (!results) return noDevices;
          for (const claim of blocking) held.inTheWay.add(claim);
          if (blocking.length > 0) return notHere;
          held.found.set(node.metadata.name, results);
          return undefined;
        } catch (error) {
          return error instanceof SearchTimeout ? tooSlow : errorStatus(error);
        }
      },
      postFilter(state, pod) {
        if (!state.read(seen)) return { status: notSeen };
        const held = state.read(devices);
        if (!held) return { status: nothingToFree };
        const idle = [...held.inTheWay].find((claim) =>
          (claim.status?.reservedFor ?? []).every(({ uid }) => uid === pod.uid),
        );
        if (!idle) return { status: inVain };
        deallocate(idle, pod, handle);
        return { status: freed };
      },
      reserve(state, _pod, nodeName): Status | undefined {
        const held = state.read(devices);
        if (!held || held.open.length === 0) return undefined;
        const results = held.found.get(nodeName);
        if (!results) return errorStatus('claim allocation not found for node');
        const allocations = new Map<string, AllocationResult>();
        for (const [index, { claim }] of held.open.entries()) {
          const allocation = results[index];
          const uid = claim.metadata.uid ?? '';
          if (!allocation) continue;
          allocations.set(uid, allocation);
          inFlight.set(uid, { ...claim, status: { ...claim.status, allocation } });
        }
        state.write(reserved, allocations);
        return undefined;
      },
      unreserve(state, pod) {
        for (const uid of state.read(reserved)?.keys() ?? []) inFlight.delete(uid);
        state.delete(reserved);
        for (const { metadata } of state.read(devices)?.claims ?? []) {
          const claim = claims.get(metadata.namespace, metadata.name);
          if (claim && isReservedFor(claim, pod.uid)) release(claim, pod, handle);
        }
      },
      async preBind(state, pod) {
        const held = state.read(devices);
        if (!held) return undefined;
        const allocations = state.read(reserved);
        const bound: DeviceClaim[] = [];
        try {
          for (const claim of held.claims) {
            const { uid } = claim.metadata;
            const isOurs = isReservedFor(claim, pod.uid);
            const next = isOurs
              ? claim
              : await bindDeviceClaim(claim, allocations?.get(uid), { client, clock, pod });
            if (!isOurs) claims.assume(next);
            inFlight.delete(uid);
            bound.push(next);
          }
          await awaitBindingConditions(bound, {
            informer: claimInformer,
            clock,
            timeoutMs: bindingTimeoutMs,
          });
          return undefined;
        } catch (error) {
          return errorStatus(error);
        }
      },
      eventsToRegister: () => [
        {
          resource: 'ResourceClaim',
          actions: ['Add', 'Update', 'Delete'],
          hint: (pod, event) => claimHint(find(pod), event),
        },
        { resource: 'TargetPod', actions: ['UpdatePodGeneratedResourceClaim'] },
        { resource: 'Node', actions: ['Add', 'UpdateNodeLabel'] },
        { resource: 'DeviceClass', actions: ['Add', 'Update'] },
        { resource: 'ResourceSlice', actions: ['Add', 'Update'] },
      ],
    };
  },
};

/** Gathers pools again only after slices changed. */
function poolCache({ informers }: Handle): () => DevicePools {
  const slices = informers.for(resourceslices);
  let known: DevicePools | undefined;
  const forget = (): void => {
    known = undefined;
  };
  slices.addHandler({ onAdd: forget, onUpdate: forget, onDelete: forget });
  return () => (known ??= devicePools(slices.list()));
}

/** Gives an idle claim's devices back, in the background. */
function deallocate(claim: Live<ResourceClaim>, pod: PodInfo, { client, onFailure }: Handle): void {
  const { allocation: _allocation, reservedFor: _reservedFor, ...status } = claim.status ?? {};
  client
    .for(resourceclaims)
    .updateStatus({ ...claim, status })
    .catch((error: unknown) => onFailure(name, pod, error));
}

/** Takes the pod from those that the claim is reserved for, in the background. */
function release({ metadata }: DeviceClaim, pod: PodInfo, { client, onFailure }: Handle): void {
  const patch = {
    metadata: { uid: metadata.uid },
    status: { reservedFor: [{ $patch: 'delete', uid: pod.uid }] },
  };
  client
    .for(resourceclaims)
    .patch({ namespace: metadata.namespace ?? '', name: metadata.name }, patch, {
      type: 'application/strategic-merge-patch+json',
      subresource: 'status',
    })
    .catch((error: unknown) => onFailure(name, pod, error));
}

/** One of the pod's claims that changed matters, and any claim whose devices were given back. */
function claimHint(found: readonly DeviceClaim[] | string, { previous, next }: ClusterEvent): QueueingHint {
  const before = previous as ResourceClaim | undefined;
  const after = next as ResourceClaim | undefined;
  if (before?.status?.allocation && !after?.status?.allocation) return 'Queue';
  if (typeof found === 'string') return 'QueueSkip';
  const uid = after?.metadata.uid;
  if (!found.some(({ metadata }) => metadata.uid === uid)) return 'QueueSkip';
  return before && before.status === after?.status ? 'QueueSkip' : 'Queue';
}
