import { inRange } from '../../base/ip-range.ts';
import type { RangeUse } from './allocation-observer.ts';
import { addressRange, type AddressRange } from './address-range.ts';

/** Addresses of a range and of those that are added to it while the cluster runs. */
export interface AddressPool extends Omit<AddressRange, 'use'> {
  /** The range that an address is of; the first when it is of none. */
  cidrOf(address: string): string;
  /** What is given out of each range. */
  uses(): readonly (RangeUse & { readonly cidr: string })[];
  /** Gives addresses of these ranges too, and no longer of others that were added; what is taken stays taken. */
  extend(ranges: readonly string[]): void;
}

/** A pool of one range; further ones are used when those before them are full, or when an address of theirs is asked for. */
export function addressPool(first: string): AddressPool {
  const known = new Map<string, AddressRange>([[first, addressRange(first)]]);
  let active: readonly string[] = [first];
  const cidrOf = (address: string): string => active.find((cidr) => inRange(cidr, address)) ?? first;
  const rangeOf = (address: string, among: Iterable<string>): AddressRange | undefined => {
    for (const cidr of among) if (inRange(cidr, address)) return known.get(cidr);
    return undefined;
  };
  return {
    cidrOf,
    uses: () => [...known].map(([cidr, range]) => ({ cidr, ...range.use() })),
    take: (address) => (rangeOf(address, active) ?? known.get(first))?.take(address),
    takeNext() {
      for (const cidr of active) {
        const next = known.get(cidr)?.takeNext();
        if (next !== undefined) return next;
      }
      return undefined;
    },
    free: (address) => rangeOf(address, known.keys())?.free(address),
    extend(ranges) {
      for (const cidr of ranges) if (!known.has(cidr)) known.set(cidr, addressRange(cidr));
      active = [first, ...ranges.filter((cidr) => cidr !== first)];
    },
  };
}
