import type { Container, Pod } from '../../api/core/v1.gen.ts';
import type { ProbeResult } from './probe-result.ts';

/** How often the probes of a node's containers came to what. */
export class ProbeCounts {
  readonly #counts = new Map<string, { readonly labels: readonly string[]; count: number }>();

  /** One attempt of a probe (`Liveness`, `Readiness`, `Startup`) ended. */
  count(of: {
    readonly pod: Pod;
    readonly container: Container;
    readonly probe: string;
    readonly outcome: ProbeResult['outcome'];
  }): void {
    const { metadata } = of.pod;
    const result = of.outcome === 'success' ? 'successful' : 'failed';
    const { name = '', namespace = '', uid = '' } = metadata;
    const labels = [of.probe, result, of.container.name, name, namespace, uid];
    const key = labels.join('/');
    const known = this.#counts.get(key) ?? { labels, count: 0 };
    known.count += 1;
    this.#counts.set(key, known);
  }

  /** Drops the counts of a pod that is gone. */
  forget(uid: string): void {
    for (const [key, { labels }] of this.#counts) if (labels.at(-1) === uid) this.#counts.delete(key);
  }

  rows(): readonly (readonly [labels: readonly string[], count: number])[] {
    return [...this.#counts.values()].map(({ labels, count }) => [labels, count]);
  }
}

/** Names of the labels of {@link ProbeCounts.rows}. */
export const PROBE_LABELS: readonly string[] = [
  'probe_type',
  'result',
  'container',
  'pod',
  'namespace',
  'pod_uid',
];
