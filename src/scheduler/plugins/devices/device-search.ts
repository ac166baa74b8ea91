import type { Node } from '../../../api/core/v1.gen.ts';
import { resourceslices, type AllocationResult } from '../../../api/resource/v1.gen.ts';
import type { Clock } from '../../../base/clock.ts';
import type { InformerFactory } from '../../../reconcile/informer.ts';
import { allocateDevices, type ClaimToAllocate } from './allocate-devices.ts';
import type { AllocatedDevices } from './allocated-devices.ts';
import { allocationResult } from './allocation-result.ts';
import { DeviceMatcher } from './device-matcher.ts';
import { devicePools, type DevicePools } from './device-pools.ts';

/** The search for devices took too long. */
export class SearchTimeout extends Error {}

/** Finds devices for claims on a node, for each in its turn; undefined when there are not enough. Throws as `allocateDevices`. */
export type DeviceSearch = (
  claims: readonly ClaimToAllocate[],
  node: Node,
  allocated: AllocatedDevices,
) => readonly AllocationResult[] | undefined;

/** Searches the published slices, gathered again only after they changed. A `timeoutMs` of 0 is none. */
export function deviceSearch(
  informers: InformerFactory,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): DeviceSearch {
  const slices = informers.for(resourceslices);
  const matcher = new DeviceMatcher();
  let pools: DevicePools | undefined;
  const forget = (): void => {
    pools = undefined;
  };
  slices.addHandler({ onAdd: forget, onUpdate: forget, onDelete: forget });
  return (claims, node, allocated) => {
    if (claims.length === 0) return [];
    pools ??= devicePools(slices.list());
    const end = clock.monotonic() + timeoutMs;
    const solutions = allocateDevices({
      claims,
      pools: pools.reachableFrom(node),
      allocated,
      matcher,
      checkTime() {
        if (timeoutMs > 0 && clock.monotonic() > end) throw new SearchTimeout();
      },
    });
    return solutions?.flatMap((solution, index) => {
      const claim = claims[index];
      return claim ? [allocationResult(claim, solution)] : [];
    });
  };
}
