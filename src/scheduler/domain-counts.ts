/** How many pods each value of a node label (a topology domain) holds. */
export type DomainCounts = ReadonlyMap<string, number>;

/**
 * Counts per domain summed over several maps that stay live, with changes of its own on top: what a plug-in computes
 * once per pod, reads once per node, and adjusts while preemption pretends that pods are gone.
 */
export class SummedDomains {
  readonly #sources: readonly DomainCounts[];
  readonly #changes = new Map<string, number>();

  constructor(sources: readonly DomainCounts[] = []) {
    this.#sources = sources.length > 8 ? [sumOf(sources)] : sources;
  }

  get(domain: string): number {
    let sum = this.#changes.size === 0 ? 0 : (this.#changes.get(domain) ?? 0);
    for (const source of this.#sources) sum += source.get(domain) ?? 0;
    return sum;
  }

  /** Changes the sum, not the sources. */
  add(domain: string, count: number): void {
    addTo(this.#changes, domain, count);
  }

  /** Whether no domain holds any. */
  isEmpty(): boolean {
    if (this.#changes.size === 0) return this.#sources.every((source) => source.size === 0);
    for (const source of [...this.#sources, this.#changes]) {
      for (const domain of source.keys()) if (this.get(domain) > 0) return false;
    }
    return true;
  }
}

/** Adds `count` to a domain; a domain that holds nothing has no entry. */
export function addTo(counts: Map<string, number>, domain: string, count: number): void {
  const sum = (counts.get(domain) ?? 0) + count;
  if (sum === 0) counts.delete(domain);
  else counts.set(domain, sum);
}

function sumOf(sources: readonly DomainCounts[]): DomainCounts {
  const sum = new Map<string, number>();
  for (const source of sources) for (const [domain, count] of source) addTo(sum, domain, count);
  return sum;
}
