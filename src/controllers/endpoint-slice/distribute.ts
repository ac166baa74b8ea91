import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';

/** Endpoints that go into the same slices: those of one family that serve the same ports. */
export interface SliceGroup {
  readonly addressType: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** What one slice should hold; without a slice, a new one. */
export interface SliceShare {
  readonly slice: Live<EndpointSlice> | undefined;
  readonly endpoints: readonly Endpoint[];
}

interface Share {
  readonly slice: Live<EndpointSlice> | undefined;
  readonly endpoints: Endpoint[];
  changed: boolean;
}

/** Whether a slice is one of those of a group. */
export function belongs(slice: Live<EndpointSlice>, { addressType, ports }: SliceGroup): boolean {
  return slice.addressType === addressType && deepEqual(slice.ports ?? [], ports);
}

/**
 * Shares a group's endpoints out so that few slices change: endpoints stay where they are, new ones go into slices that
 * change anyway, then into the fullest other slice that takes all of them, then into new slices. Slices that are left
 * empty have no share.
 */
export function distribute(
  endpoints: readonly Endpoint[],
  slices: readonly Live<EndpointSlice>[],
  capacity: number,
): readonly SliceShare[] {
  const waiting = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const shares = slices.map((slice) => keep(slice, waiting, capacity));
  const fresh = [...waiting.values()];
  for (const share of shares) if (share.changed && share.endpoints.length > 0) fill(share, fresh, capacity);
  while (fresh.length > 0) {
    const roomy = fresh.length < capacity ? fullestWithRoom(shares, fresh.length, capacity) : undefined;
    if (roomy) fill(roomy, fresh, capacity);
    else shares.push({ slice: undefined, endpoints: fresh.splice(0, capacity), changed: true });
  }
  return shares.filter((share) => share.endpoints.length > 0);
}

function keep(slice: Live<EndpointSlice>, waiting: Map<string, Endpoint>, capacity: number): Share {
  const endpoints: Endpoint[] = [];
  for (const held of slice.endpoints) {
    const key = endpointKey(held);
    const wanted = waiting.get(key);
    if (!wanted || endpoints.length >= capacity) continue;
    waiting.delete(key);
    endpoints.push(wanted);
  }
  return { slice, endpoints, changed: !deepEqual(endpoints, slice.endpoints) };
}

function fill({ endpoints }: Share, fresh: Endpoint[], capacity: number): void {
  endpoints.push(...fresh.splice(0, Math.max(0, capacity - endpoints.length)));
}

function fullestWithRoom(shares: readonly Share[], count: number, capacity: number): Share | undefined {
  let best: Share | undefined;
  for (const share of shares) {
    const { length } = share.endpoints;
    if (length + count <= capacity && (!best || length > best.endpoints.length)) best = share;
  }
  return best;
}

function endpointKey({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses.join()}`;
}
