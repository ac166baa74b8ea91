import type { Container, Node, Pod } from '../../../api/core/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import type { Informer, InformerFactory } from '../../../reconcile/informer.ts';
import { metricResources, type MetricEntry, type MetricResource } from '../kwok/pod-resources.ts';
import type { SimulatedUsage } from './simulated-usage.ts';

interface Subject {
  readonly node: Live<Node>;
  readonly pod?: Live<Pod>;
  readonly container?: Container;
}

/** The metrics of simulated nodes, at the paths that KWOK's `Metric` resources give. */
export class NodeMetrics {
  readonly #metrics: Informer<MetricResource>;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #usage: SimulatedUsage;

  constructor(
    informers: InformerFactory,
    sources: { readonly nodes: Informer<Node>; readonly pods: Informer<Pod>; readonly usage: SimulatedUsage },
  ) {
    this.#metrics = informers.for(metricResources);
    this.#nodes = sources.nodes;
    this.#pods = sources.pods;
    this.#usage = sources.usage;
  }

  /** The text exposition for a path; undefined when no resource has it, or the node does not exist. */
  at(path: string): string | undefined {
    for (const { spec } of this.#metrics.list()) {
      const nodeName = nodeIn(spec.path, path);
      if (nodeName === undefined) continue;
      const node = this.#nodes.get(undefined, nodeName);
      if (node) return (spec.metrics ?? []).map((metric) => this.#family(metric, node)).join('');
    }
    return undefined;
  }

  #family(metric: MetricEntry, node: Live<Node>): string {
    const help = (metric.help ?? '').trim().replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    const samples = this.#subjects(metric, node).flatMap((subject) => this.#samples(metric, subject));
    if (samples.length === 0) return '';
    return [`# HELP ${metric.name} ${help}`, `# TYPE ${metric.name} ${metric.kind}`, ...samples, ''].join(
      '\n',
    );
  }

  #subjects({ dimension = 'node' }: MetricEntry, node: Live<Node>): Subject[] {
    if (dimension === 'node') return [{ node }];
    const pods = this.#pods.byIndex('node', node.metadata.name).map((pod) => ({ node, pod }));
    if (dimension === 'pod') return pods;
    return pods.flatMap(({ pod }) => pod.spec.containers.map((container) => ({ node, pod, container })));
  }

  #samples({ name, kind, labels = [], value, buckets = [] }: MetricEntry, subject: Subject): string[] {
    const named = labels.flatMap((label) => {
      const text = this.#usage.evaluate(label.value, subject)?.text();
      return text === undefined ? [] : [[label.name, text] as const];
    });
    if (kind !== 'histogram') {
      const number = value === undefined ? undefined : this.#usage.evaluate(value, subject)?.number();
      return number === undefined ? [] : [`${name}${printLabels(named)} ${printNumber(number)}`];
    }
    const lines: string[] = [];
    let count = 0;
    let sum = 0;
    let below = 0;
    for (const bucket of buckets.toSorted((a, b) => a.le - b.le)) {
      const inside = this.#usage.evaluate(bucket.value, subject)?.number() ?? 0;
      count += inside;
      sum += (inside * (below + bucket.le)) / 2;
      below = bucket.le;
      if (!bucket.hidden)
        lines.push(
          `${name}_bucket${printLabels([...named, ['le', printNumber(bucket.le)]])} ${printNumber(count)}`,
        );
    }
    return [
      ...lines,
      `${name}_bucket${printLabels([...named, ['le', '+Inf']])} ${printNumber(count)}`,
      `${name}_sum${printLabels(named)} ${printNumber(sum)}`,
      `${name}_count${printLabels(named)} ${printNumber(count)}`,
    ];
  }
}

/** The node that a path is about: the text in the place of `{nodeName}`. */
function nodeIn(template: string, path: string): string | undefined {
  const [before = '', after] = template.split('{nodeName}');
  if (after === undefined || !path.startsWith(before) || !path.endsWith(after)) return undefined;
  const name = path.slice(before.length, path.length - after.length);
  return name === '' || name.includes('/') ? undefined : decodeURIComponent(name);
}

function printLabels(labels: readonly (readonly [string, string])[]): string {
  if (labels.length === 0) return '';
  const printed = labels.map(
    ([name, value]) =>
      `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return `{${printed.join(',')}}`;
}

function printNumber(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}
