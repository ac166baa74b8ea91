import { isIPv4 } from 'node:net';
import { formatIpv6, inIpv6Range, parseIpv6, parseIpv6Range, type Ipv6Range } from '../../base/ipv6.ts';
import type { RangeUse } from './allocation-observer.ts';

/** What an allocator says of an address or port that it cannot give. */
export type Refusal = string;

/** Numbers of a range that are given out one at a time. The lower band is left to those who ask for a certain number. */
export interface NumberRange {
  /** Takes this one; returns why not. */
  take(value: number): Refusal | undefined;
  /** Takes a free one; undefined when the range is full. */
  takeNext(): number | undefined;
  free(value: number): void;
  use(): RangeUse;
}

/** Numbers from `first` to `last`; {@link NumberRange.takeNext} goes round from `dynamicFrom` and uses the lower band last. */
export function numberRange(options: {
  readonly first: number;
  readonly last: number;
  readonly dynamicFrom: number;
  /** Where the round begins; `dynamicFrom` by default. */
  readonly startAt?: number;
  readonly outside: Refusal;
  readonly taken: Refusal;
}): NumberRange {
  const { first, last, dynamicFrom, outside, taken } = options;
  const used = new Set<number>();
  let cursor = options.startAt ?? dynamicFrom;
  const search = (from: number, to: number): number | undefined => {
    for (let value = from; value <= to; value += 1) if (!used.has(value)) return value;
    return undefined;
  };
  return {
    take(value) {
      if (value < first || value > last) return outside;
      if (used.has(value)) return taken;
      used.add(value);
      return undefined;
    },
    takeNext() {
      if (used.size > last - first) return undefined;
      const value = search(cursor, last) ?? search(dynamicFrom, cursor - 1) ?? search(first, dynamicFrom - 1);
      if (value === undefined) return undefined;
      used.add(value);
      cursor = value >= last || value < dynamicFrom ? dynamicFrom : value + 1;
      return value;
    },
    free: (value) => {
      used.delete(value);
    },
    use: () => ({ used: used.size, size: last - first + 1 }),
  };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** Addresses of a range, given out like {@link NumberRange}; network and broadcast addresses are not. */
export interface AddressRange {
  take(address: string): Refusal | undefined;
  takeNext(): string | undefined;
  free(address: string): void;
  use(): RangeUse;
}

const outside = 'the provided network does not match the current range';
const taken = 'provided IP is already allocated';

/** Upstream's service range: the first sixteenth (16 to 256 addresses) is for addresses that are asked for. */
export function addressRange(cidr: string): AddressRange {
  const ipv6 = parseIpv6Range(cidr);
  if (ipv6) return ipv6AddressRange(ipv6);
  const [base = '', length = ''] = cidr.split('/');
  const bits = Number(length);
  if (!isIPv4(base) || !/^[0-9]+$/.test(length) || bits > 30) {
    throw new RangeError(`service range ${cidr} is not an IPv4 range of at least four addresses`);
  }
  const size = 2 ** (32 - bits);
  const network = Math.floor(toNumber(base) / size) * size;
  const reserved = size <= 32 ? 0 : Math.min(256, Math.max(16, Math.floor(size / 16)));
  const range = numberRange({
    first: network + 1,
    last: network + size - 2,
    dynamicFrom: network + 1 + reserved,
    outside,
    taken,
  });
  return {
    take: (address) => (isIPv4(address) ? range.take(toNumber(address)) : outside),
    takeNext() {
      const value = range.takeNext();
      return value === undefined ? undefined : toAddress(value);
    },
    free: (address) => range.free(toNumber(address)),
    use: () => range.use(),
  };
}

function ipv6AddressRange(range: Ipv6Range): AddressRange {
  const used = new Set<bigint>();
  const size = 1n << BigInt(128 - range.prefix);
  const first = range.network + 1n;
  const last = range.network + size - 1n;
  const share = size / 16n < 16n ? 16n : size / 16n;
  const dynamicFrom = first + (size <= 32n ? 0n : share < 256n ? share : 256n);
  let cursor = dynamicFrom;
  const search = (from: bigint, to: bigint): bigint | undefined => {
    for (let value = from; value <= to; value += 1n) if (!used.has(value)) return value;
    return undefined;
  };
  return {
    take(address) {
      const value = parseIpv6(address);
      if (value === undefined || !inIpv6Range(range, value) || value < first) return outside;
      if (used.has(value)) return taken;
      used.add(value);
      return undefined;
    },
    takeNext() {
      const value =
        search(cursor, last) ?? search(dynamicFrom, cursor - 1n) ?? search(first, dynamicFrom - 1n);
      if (value === undefined) return undefined;
      used.add(value);
      cursor = value >= last || value < dynamicFrom ? dynamicFrom : value + 1n;
      return formatIpv6(value);
    },
    free(address) {
      const value = parseIpv6(address);
      if (value !== undefined) used.delete(value);
    },
    use: () => ({ used: used.size, size: Number(last - first + 1n) }),
  };
}
