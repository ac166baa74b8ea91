import type { NodeSelector } from '../../api/core/v1.gen.ts';
import { isReservedFor } from '../../api/resource/pod-claim-name.ts';
import {
  deviceclasses,
  resourceclaims,
  type AllocationResult,
  type ResourceClaim,
} from '../../api/resource/v1.gen.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import { stateKey, type CycleState } from '../cycle-state.ts';
import { spreadScores, type PluginFactory } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import { errorStatus, SKIP, unresolvable, unschedulable, type Status } from '../status.ts';
import type { ClaimToAllocate } from './devices/allocate-devices.ts';
import type { AllocatedDevices } from './devices/allocated-devices.ts';
import { awaitBindingConditions, bindDeviceClaim } from './devices/bind-device-claims.ts';
import { ClaimLedger } from './devices/claim-ledger.ts';
import { deallocate, discard, release } from './devices/claim-writes.ts';
import { parseRequests, type ParsedRequest } from './devices/device-requests.ts';
import { deviceSearch, SearchTimeout } from './devices/device-search.ts';
import {
  bindExtendedClaim,
  extendedClaims,
  isExtendedClaimOf,
  type ExtendedClaim,
  type ExtendedClaims,
} from './devices/extended-claim.ts';
import { extendedClassLookup } from './devices/extended-classes.ts';
import { canBeReserved, podDeviceClaims, type DeviceClaim } from './devices/pod-device-claims.ts';
import { nodeSelectorMatches } from '../../api/core/node-selector.ts';

const name = 'DynamicResources';
/** A request may list this many. */
const maxAlternatives = 8;
const nothingToFree = unschedulable('no new claims to deallocate');
/** What upstream says of its missing state; it ends the search for room. */
const notSeen: Status = { code: 'Error', reasons: ['not found'] };
const inVain = unschedulable('still not schedulable');
const freed = unschedulable('deallocation of ResourceClaim completed');
const discarded = unschedulable('deletion of ResourceClaim completed');
const notHere = unresolvable('resourceclaim not available on the node');
const noDevices = unresolvable('cannot allocate all claims');
const notAgain = unresolvable('cannot schedule extended resource claim');
const tooSlow = unresolvable('timed out trying to allocate devices');

interface DeviceState {
  readonly claims: readonly DeviceClaim[];
  /** The claims among them that wait for devices. */
  readonly open: readonly ClaimToAllocate[];
  /** Makes the claim for extended resources that the node does not advertise. */
  readonly extended: ExtendedClaims | undefined;
  /** Such a claim of an attempt that failed: it must go first. */
  readonly leftover: DeviceClaim | undefined;
  readonly allocated: AllocatedDevices;
  /** Where claims that have devices can be used. */
  readonly selectors: readonly (NodeSelector | undefined)[];
  /** By node name. */
  readonly found: Map<string, Found>;
  /** Claims that kept the pod off some node. */
  readonly inTheWay: Set<DeviceClaim>;
}

/** Devices on a node, for each open claim and then for the extended one. */
interface Found {
  readonly results: readonly AllocationResult[];
  readonly extended: ExtendedClaim | undefined;
}

/** What Reserve promised: allocations by the keys under which the ledger has them in flight. */
interface Promised {
  readonly allocations: Map<string, AllocationResult>;
  readonly extended: ExtendedClaim | undefined;
}

/** The pod was looked at: an earlier plug-in may have rejected it before. */
const seen = stateKey<true>(`${name} seen`);
const devices = stateKey<DeviceState>(name);
const promised = stateKey<Promised>(`${name} promised`);
const made = stateKey<DeviceClaim>(`${name} made`);

/** Finds devices for pods that claim some (structured parameters, KEP-4381) or ask for extended resources (KEP-5004). */
export const dynamicResources: PluginFactory = {
  name,
  create({ client, informers, clock, signal, onFailure }, { DynamicResources: args }) {
    const { filterTimeoutMs, bindingTimeoutMs } = args;
    const claimInformer = informers.for(resourceclaims);
    const ledger = new ClaimLedger(claimInformer);
    const classes = informers.for(deviceclasses);
    const extendedClass = extendedClassLookup(informers);
    const search = deviceSearch(informers, { clock, timeoutMs: filterTimeoutMs });
    const find = (pod: PodInfo): readonly DeviceClaim[] | string =>
      podDeviceClaims(pod.pod, (namespace, claimName) => ledger.get(namespace, claimName));
    const inBackground = (pod: PodInfo, work: Promise<void>): void => {
      work.catch((error: unknown) => onFailure(name, pod, error));
    };
    return {
      name,
      preEnqueue(pod) {
        const found = find(pod);
        return typeof found === 'string' ? unresolvable(found) : undefined;
      },
      preFilter(state, pod) {
        state.write(seen, true);
        const extended = extendedClaims(pod, extendedClass);
        if (!pod.pod.spec.resourceClaims && !extended) return SKIP;
        const found = find(pod);
        if (typeof found === 'string') return unresolvable(found);
        if (found.length === 0 && !extended) return SKIP;
        const open = openClaims(found, pod);
        if (!Array.isArray(open)) return open;
        state.write(devices, {
          claims: found,
          open,
          extended,
          leftover: extended && ledger.find((claim) => isExtendedClaimOf(claim, pod.uid)),
          allocated: ledger.allocated(),
          selectors: found.map(({ status }) => status?.allocation?.nodeSelector),
          found: new Map<string, Found>(),
          inTheWay: new Set<DeviceClaim>(),
        });
        return undefined;
      },
      filter(state, _pod, { node }) {
        const held = state.read(devices);
        if (!held) return undefined;
        if (held.leftover) return notAgain;
        const blocking = held.claims.filter((_, index) => {
          const selector = held.selectors[index];
          return selector && !nodeSelectorMatches(selector, node);
        });
        try {
          const extended = held.extended?.(node);
          const wanted = extended ? [...held.open, extended] : held.open;
          const results = search(wanted, node, held.allocated);
          if (!results) return noDevices;
          for (const claim of blocking) held.inTheWay.add(claim);
          if (blocking.length > 0) return notHere;
          held.found.set(node.metadata.name, { results, extended });
          return undefined;
        } catch (error) {
          return error instanceof SearchTimeout ? tooSlow : errorStatus(error);
        }
      },
      postFilter(state, pod) {
        if (!state.read(seen)) return { status: notSeen };
        const held = state.read(devices);
        if (!held) return { status: nothingToFree };
        if (held.leftover) {
          inBackground(pod, discard(client, held.leftover));
          return { status: discarded };
        }
        const idle = [...held.inTheWay].find((claim) =>
          (claim.status?.reservedFor ?? []).every(({ uid }) => uid === pod.uid),
        );
        if (!idle) return { status: inVain };
        inBackground(pod, deallocate(client, idle));
        return { status: freed };
      },
      preScore: (state) =>
        state.read(devices)?.open.some(({ requests }) => requests.some(isPrioritized)) ? undefined : SKIP,
      score(state, _pod, node) {
        const held = state.read(devices);
        const results = held?.found.get(node.name)?.results ?? [];
        return (held?.open ?? []).reduce((sum, claim, index) => sum + preferenceOf(claim, results[index]), 0);
      },
      normalizeScores: (_state, _pod, { scores }) => spreadScores(scores, 'ascending'),
      reserve(state, pod, nodeName) {
        const held = state.read(devices);
        if (!held || (held.open.length === 0 && !held.extended)) return undefined;
        const found = held.found.get(nodeName);
        if (!found) return errorStatus('claim allocation not found for node');
        const { results, extended } = found;
        const allocations = new Map<string, AllocationResult>();
        const wanted: readonly ClaimToAllocate[] = extended ? [...held.open, extended] : held.open;
        for (const [index, { claim }] of wanted.entries()) {
          const allocation = results[index];
          const key = claim.metadata.uid ?? extendedKey(pod);
          if (!allocation) continue;
          allocations.set(key, allocation);
          ledger.depart(key, { ...claim, status: { ...claim.status, allocation } });
        }
        state.write(promised, { allocations, extended });
        return undefined;
      },
      unreserve(state, pod) {
        for (const key of state.read(promised)?.allocations.keys() ?? []) ledger.land(key);
        state.delete(promised);
        for (const { metadata } of state.read(devices)?.claims ?? []) {
          const claim = ledger.get(metadata.namespace ?? '', metadata.name);
          if (claim && isReservedFor(claim, pod.uid)) inBackground(pod, release(client, claim, pod));
        }
        const claim = state.read(made);
        if (claim) inBackground(pod, discard(client, claim));
        state.delete(made);
      },
      async preBind(state, pod) {
        const held = state.read(devices);
        if (!held) return undefined;
        try {
          const bound = await bindAll(held, state, pod);
          const timeoutMs = bindingTimeoutMs;
          await awaitBindingConditions(bound, { informer: claimInformer, clock, signal, timeoutMs });
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
        { resource: 'Node', actions: ['Add', 'UpdateNodeLabel', 'UpdateNodeAllocatable'] },
        { resource: 'DeviceClass', actions: ['Add', 'Update'] },
        { resource: 'ResourceSlice', actions: ['Add', 'Update'] },
      ],
    };

    function openClaims(found: readonly DeviceClaim[], pod: PodInfo): ClaimToAllocate[] | Status {
      const open: ClaimToAllocate[] = [];
      for (const claim of found) {
        if (claim.status?.allocation) {
          if (canBeReserved(claim) || isReservedFor(claim, pod.uid)) continue;
          return unresolvable('resourceclaim in use');
        }
        if (ledger.isInFlight(claim.metadata.uid)) {
          const key = `${pod.namespace}/${claim.metadata.name}`;
          return unresolvable(`resource claim ${key} is in the process of being allocated`);
        }
        const requests = parseRequests(claim, (className) => classes.get(undefined, className));
        if (typeof requests === 'string') return unresolvable(requests);
        open.push({ claim, requests });
      }
      return open;
    }

    async function bindAll(held: DeviceState, state: CycleState, pod: PodInfo): Promise<DeviceClaim[]> {
      const promise = state.read(promised);
      const options = { client, clock, pod };
      const bound: DeviceClaim[] = [];
      for (const claim of held.claims) {
        const { uid } = claim.metadata;
        if (isReservedFor(claim, pod.uid)) bound.push(claim);
        else {
          const next = await bindDeviceClaim(claim, promise?.allocations.get(uid), options);
          ledger.land(uid, next);
          bound.push(next);
        }
      }
      const key = extendedKey(pod);
      const allocation = promise?.allocations.get(key);
      if (promise?.extended && allocation) {
        const next = await bindExtendedClaim(promise.extended, allocation, {
          ...options,
          created: (claim) => state.write(made, claim),
        });
        ledger.land(key, next);
        bound.push(next);
      }
      return bound;
    }
  },
};

function isPrioritized({ name: request, alternatives }: ParsedRequest): boolean {
  return alternatives.some((alternative) => alternative.name !== request);
}

/** The earlier the alternatives that were used stand in their lists, the more. */
function preferenceOf({ requests }: ClaimToAllocate, allocation: AllocationResult | undefined): number {
  const used = new Set((allocation?.devices?.results ?? []).map(({ request }) => request));
  let preference = 0;
  for (const { name: request, alternatives } of requests) {
    for (const [index, alternative] of alternatives.entries()) {
      if (alternative.name !== request && used.has(alternative.name)) preference += maxAlternatives - index;
    }
  }
  return preference;
}

/** Stands for the claim of a pod's extended resources until that exists. */
function extendedKey({ uid }: PodInfo): string {
  return `extended resources of ${uid}`;
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
