import { formatIpv4Range, ipv4Subrange, parseIpv4Range, type Ipv4Range } from '../../base/ipv4.ts';

/** The networks of one size that a range is cut into, and which of them are taken. */
export class CidrSet {
  readonly #range: Ipv4Range;
  readonly #prefix: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  #next = 0;

  constructor(range: Ipv4Range, prefix: number) {
    this.#range = range;
    this.#prefix = prefix;
    this.#count = prefix < range.prefix ? 0 : 2 ** (prefix - range.prefix);
  }

  /** Takes the next free network after the one allocated last; undefined when all are taken. */
  allocate(): string | undefined {
    if (this.#taken.size >= this.#count) return undefined;
    for (;;) {
      const at = this.#next % this.#count;
      this.#next = at + 1;
      if (this.#taken.has(at)) continue;
      this.#taken.add(at);
      const network = ipv4Subrange(this.#range, this.#prefix, at);
      return network && formatIpv4Range(network);
    }
  }

  /** Marks whatever overlaps `cidr` as taken; what lies outside is ignored. */
  occupy(cidr: string): void {
    for (const at of this.#indexesOf(cidr)) this.#taken.add(at);
  }

  release(cidr: string): void {
    for (const at of this.#indexesOf(cidr)) this.#taken.delete(at);
  }

  #indexesOf(cidr: string): readonly number[] {
    const other = parseIpv4Range(cidr);
    if (!other) return [];
    const size = 2 ** (32 - this.#prefix);
    const first = Math.max(0, Math.floor((other.network - this.#range.network) / size));
    const end = Math.min(this.#count, Math.ceil((other.network + other.size - this.#range.network) / size));
    return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  }
}
