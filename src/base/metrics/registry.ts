import { Counter } from './counter.ts';
import { Histogram } from './histogram.ts';
import { Summary, type SummaryOptions } from './summary.ts';
import { TimingHistogram } from './timing-histogram.ts';
import { expositionOf, labelText, type MetricFamily, type Sample } from './exposition.ts';
import type { Clock } from '../clock.ts';

/** What a metric is called and says; label values are given in the order of `labels`. */
export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** All metrics of a process, in the text form that Prometheus reads. */
export class MetricRegistry {
  readonly #families: MetricFamily[] = [];

  /** A number that only grows. */
  counter(definition: MetricDefinition): Counter {
    const counter = new Counter(definition.labels ?? []);
    this.#add('counter', definition, () => counter.samples());
    return counter;
  }

  /** A number that goes up and down. */
  gauge(definition: MetricDefinition): Counter {
    const gauge = new Counter(definition.labels ?? []);
    this.#add('gauge', definition, () => gauge.samples());
    return gauge;
  }

  /** How often observed values lie at or below each of the growing `buckets`. */
  histogram(definition: MetricDefinition & { readonly buckets: readonly number[] }): Histogram {
    const histogram = new Histogram(definition.labels ?? [], definition.buckets);
    this.#add('histogram', definition, () => histogram.samples());
    return histogram;
  }

  /** For how many nanoseconds a value lay at or below each of the growing `buckets`. */
  timingHistogram(
    definition: MetricDefinition & { readonly buckets: readonly number[]; readonly clock: Clock },
  ): TimingHistogram {
    const histogram = new TimingHistogram(definition.labels ?? [], definition);
    this.#add('histogram', definition, () => histogram.samples());
    return histogram;
  }

  /** Quantiles of what was observed lately. */
  summary(definition: MetricDefinition & Omit<SummaryOptions, 'names'>): Summary {
    const summary = new Summary({ ...definition, names: definition.labels ?? [] });
    this.#add('summary', definition, () => summary.samples());
    return summary;
  }

  /** Values that are read when somebody asks for them: label values and number each. */
  reading(
    type: 'counter' | 'gauge',
    definition: MetricDefinition,
    read: () => Iterable<readonly [readonly string[], number]>,
  ): void {
    const names = definition.labels ?? [];
    this.#add(type, definition, function* samples(): Iterable<Sample> {
      for (const [values, value] of read()) yield { suffix: '', labels: labelText(names, values), value };
    });
  }

  /** All metrics that there may be values of. */
  get families(): readonly Omit<MetricFamily, 'samples'>[] {
    return this.#families;
  }

  /** The text exposition format 0.0.4, families in order of their names; `only` selects families by name. */
  text(only: (name: string) => boolean = () => true): string {
    const families = this.#families.filter(({ name }) => only(name));
    return families
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(expositionOf)
      .join('');
  }

  #add(
    type: MetricFamily['type'],
    { name, help, labels = [] }: MetricDefinition,
    samples: () => Iterable<Sample>,
  ): void {
    this.#families.push({ type, name, help, labels, samples });
  }
}
