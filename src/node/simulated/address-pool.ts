import { formatIpv4, parseIpv4, parseIpv4Range, type Ipv4Range } from '../../base/ipv4.ts';

/** Addresses of one network, handed out in order; those given back are handed out again after the rest. */
export class SimulatedAddresses {
  readonly #range: Ipv4Range;
  readonly #used = new Set<number>();
  #next: number;

  constructor(range: Ipv4Range, first: number) {
    this.#range = range;
    this.#next = first;
  }

  /** Undefined when the network is full. The last address of a network is its broadcast. */
  take(): string | undefined {
    const { network, size } = this.#range;
    for (let tried = 0; tried < size; tried++) {
      if (this.#next >= size - 1) this.#next = 1;
      const address = network + this.#next++;
      if (this.#used.has(address)) continue;
      this.#used.add(address);
      return formatIpv4(address);
    }
    return undefined;
  }

  /** Marks an address that somebody has. */
  hold(address: string): void {
    const value = parseIpv4(address);
    if (value !== undefined) this.#used.add(value);
  }

  release(address: string): void {
    const value = parseIpv4(address);
    if (value !== undefined) this.#used.delete(value);
  }
}

/** Where nodes and pods without a network of their own get addresses. */
const COMMON_RANGE = '240.0.0.0/4';

/** The addresses of simulated pods and nodes: a pool for each pod network, and one for all that have none. */
export class AddressBook {
  readonly #pools = new Map<string, SimulatedAddresses>();

  /** A pod's address from its node's network, or the common one when that is full or there is none. */
  takeFor(podCidr: string | undefined): string {
    const address = podCidr === undefined ? undefined : this.#pool(podCidr)?.take();
    return address ?? this.#common().take() ?? '';
  }

  hold(podCidr: string | undefined, address: string): void {
    for (const pool of this.#both(podCidr)) pool.hold(address);
  }

  release(podCidr: string | undefined, address: string): void {
    for (const pool of this.#both(podCidr)) pool.release(address);
  }

  #both(podCidr: string | undefined): SimulatedAddresses[] {
    const own = podCidr === undefined ? undefined : this.#pool(podCidr);
    return own ? [own, this.#common()] : [this.#common()];
  }

  #common(): SimulatedAddresses {
    const range = parseIpv4Range(COMMON_RANGE) ?? { network: 0, prefix: 0, size: 0 };
    return this.#poolOf(COMMON_RANGE, range, 1);
  }

  /** The first address of a node's network is the node's own. */
  #pool(cidr: string): SimulatedAddresses | undefined {
    const range = parseIpv4Range(cidr);
    return range && this.#poolOf(cidr, range, 2);
  }

  #poolOf(key: string, range: Ipv4Range, first: number): SimulatedAddresses {
    let pool = this.#pools.get(key);
    if (!pool) this.#pools.set(key, (pool = new SimulatedAddresses(range, first)));
    return pool;
  }
}
