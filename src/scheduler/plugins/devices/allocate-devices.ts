import type { DeviceTaint, DeviceToleration, ResourceClaim } from '../../../api/resource/v1.gen.ts';
import type { AllocatedDevices } from './allocated-devices.ts';
import { capacityShare, hasCapacity, type Capacities } from './device-capacity.ts';
import { constraintOf, type Constraint } from './device-constraints.ts';
import type { DeviceMatcher } from './device-matcher.ts';
import type { DeviceId, PooledDevice, ReachablePool } from './device-pools.ts';
import type { Alternative, ParsedRequest } from './device-requests.ts';
import { SharedCounters } from './shared-counters.ts';

/** A claim may hold this many devices. */
const maxDevices = 32;

/** A claim that waits for devices, with its requests. */
export interface ClaimToAllocate {
  readonly claim: ResourceClaim;
  readonly requests: readonly ParsedRequest[];
}

/** A device given to a request. */
export interface ChosenDevice {
  readonly alternative: Alternative;
  readonly device: PooledDevice;
  /** What is taken of a device that several claims may share. */
  readonly share: Capacities | undefined;
}

/** For one claim the devices, and for each of its requests the index of the alternative that was used. */
export interface ClaimSolution {
  readonly devices: readonly ChosenDevice[];
  readonly alternatives: readonly number[];
}

export interface AllocationProblem {
  readonly claims: readonly ClaimToAllocate[];
  readonly pools: readonly ReachablePool[];
  readonly allocated: AllocatedDevices;
  readonly matcher: DeviceMatcher;
  /** Thrown out of the search when it is given up. */
  checkTime(): void;
}

/**
 * Finds devices for all claims of a pod on one node: every combination is tried, requests in order, alternatives and
 * devices best first, and the first that works is taken. Undefined when none does. Throws when an expression fails.
 */
export function allocateDevices(problem: AllocationProblem): readonly ClaimSolution[] | undefined {
  const { claims, allocated, checkTime } = problem;
  const counters = new SharedCounters(allocated.all);
  const constraints = claims.map(({ claim }) => (claim.spec.devices.constraints ?? []).map(constraintOf));
  const candidates = candidateFinder(problem);
  const chosen: ChosenDevice[][] = claims.map(() => []);
  const alternatives: number[][] = claims.map(() => []);
  const takers = new Map<DeviceId, number[]>();
  const taken = new Map<DeviceId, Map<string, bigint>>();

  return solve(0, 0)
    ? claims.map((_, claim) => ({ devices: chosen[claim] ?? [], alternatives: alternatives[claim] ?? [] }))
    : undefined;

  function solve(claim: number, request: number): boolean {
    const requests = claims[claim]?.requests;
    if (!requests) return true;
    const parsed = requests[request];
    if (!parsed) return solve(claim + 1, 0);
    for (const [index, alternative] of parsed.alternatives.entries()) {
      const found = candidates(alternative);
      const count = alternative.mode === 'All' ? found.length : alternative.count;
      if (count === 0 || found.length < count) continue;
      if ((chosen[claim]?.length ?? 0) + count > maxDevices) continue;
      const own = alternatives[claim];
      if (own) own[request] = index;
      if (fill({ claim, request, alternative, found, count }, 0)) return true;
    }
    return false;
  }

  function fill(step: Step, from: number): boolean {
    const { claim, request, alternative, found, count } = step;
    if (count === 0) return solve(claim, request + 1);
    checkTime();
    for (let index = from; index <= found.length - count; index++) {
      const device = found[index];
      const release = device && take(claim, alternative, device);
      if (release) {
        if (fill({ ...step, count: count - 1 }, index + 1)) return true;
        release();
      }
      if (alternative.mode === 'All') return false;
    }
    return false;
  }

  function take(claim: number, alternative: Alternative, device: PooledDevice): (() => void) | undefined {
    const holders = takers.get(device.id) ?? [];
    const sharable = device.device.allowMultipleAllocations === true && !alternative.adminAccess;
    if (alternative.adminAccess ? holders.includes(claim) : holders.length > 0 && !sharable) return undefined;
    const share = capacityShare(device, alternative.capacity);
    if (!share) return undefined;
    const soFar = taken.get(device.id) ?? new Map(allocated.shared.get(device.id));
    if (sharable && !hasCapacity(device, share, soFar)) return undefined;
    const counts = !alternative.adminAccess && !allocated.all.has(device.id) && holders.length === 0;
    if (counts && !counters.take(device)) return undefined;
    const own = constraints[claim] ?? [];
    const broken = addToAll(own, alternative.name, device);
    if (broken) {
      if (counts) counters.giveBack(device);
      return undefined;
    }
    takers.set(device.id, [...holders, claim]);
    if (sharable) taken.set(device.id, summed(soFar, share, 1n));
    chosen[claim]?.push({ alternative, device, share: sharable ? share : undefined });
    return () => {
      chosen[claim]?.pop();
      if (sharable) taken.set(device.id, summed(taken.get(device.id) ?? new Map(), share, -1n));
      takers.set(device.id, holders);
      for (const constraint of own) constraint.remove(alternative.name, device);
      if (counts) counters.giveBack(device);
    };
  }
}

interface Step {
  readonly claim: number;
  readonly request: number;
  readonly alternative: Alternative;
  readonly found: readonly PooledDevice[];
  /** Devices still to be taken. */
  readonly count: number;
}

/** The devices that an alternative could take, whatever else is taken for the pod. */
function candidateFinder({
  claims,
  pools,
  allocated,
  matcher,
}: AllocationProblem): (alternative: Alternative) => readonly PooledDevice[] {
  const owners = new Map(
    claims.flatMap(({ claim, requests }) =>
      requests.flatMap(({ alternatives }) => alternatives.map((one) => [one, claim] as const)),
    ),
  );
  const known = new Map<Alternative, readonly PooledDevice[]>();
  return (alternative) => {
    const held = known.get(alternative);
    if (held) return held;
    const found = find(alternative);
    known.set(alternative, found);
    return found;
  };

  function find(alternative: Alternative): readonly PooledDevice[] {
    const { deviceClass, selectors, mode } = alternative;
    const metadata = owners.get(alternative)?.metadata;
    const owner = `claim ${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
    if (mode === 'All' && pools.some(({ pool }) => pool.state !== 'usable')) return [];
    const selected = pools
      .filter(({ pool }) => pool.state === 'usable')
      .flatMap(({ devices }) => devices)
      .filter(
        (device) =>
          matcher.matches(device, deviceClass.spec.selectors, `class ${deviceClass.metadata.name ?? ''}`) &&
          matcher.matches(device, selectors, owner),
      );
    const usable = selected.filter((device) => isUsable(device, alternative, allocated));
    return mode === 'All' && usable.length < selected.length ? [] : usable;
  }
}

function isUsable(
  { id, device }: PooledDevice,
  { adminAccess, tolerations }: Alternative,
  allocated: AllocatedDevices,
): boolean {
  if (!adminAccess && allocated.exclusive.has(id)) return false;
  return (device.taints ?? []).every(
    (taint) =>
      (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') ||
      tolerations.some((toleration) => covers(toleration, taint)),
  );
}

function covers({ key, operator, value, effect }: DeviceToleration, taint: DeviceTaint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (value ?? '') === (taint.value ?? '');
}

/** Adds the device everywhere, or nowhere; returns whether one refused. */
function addToAll(constraints: readonly Constraint[], request: string, device: PooledDevice): boolean {
  for (const [index, constraint] of constraints.entries()) {
    if (constraint.add(request, device)) continue;
    for (const earlier of constraints.slice(0, index)) earlier.remove(request, device);
    return true;
  }
  return false;
}

function summed(a: Capacities, b: Capacities, sign: 1n | -1n): Map<string, bigint> {
  const sum = new Map(a);
  for (const [name, amount] of b) sum.set(name, (sum.get(name) ?? 0n) + sign * amount);
  return sum;
}
