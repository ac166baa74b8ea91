import type { Clock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/seeded-random.ts';
import type { Container, Node, Pod } from '../../../api/core/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import { parseQuantity, quantityMilliValue } from '../../../machinery/quantity.ts';
import type { Informer, InformerFactory } from '../../../reconcile/informer.ts';
import { entryFor, PodConfiguration } from '../kwok/configured-pods.ts';
import { podUsageResources, type PodUsageResource, type UsageEntry } from '../kwok/pod-resources.ts';
import { celExpressions, type CelExpression, type CelExpressions } from '../stages/cel-expressions.ts';
import { usageFunctions, type UsageSubject } from './usage-functions.ts';

/** How much simulated pods and nodes use: what a metrics server asks for. */
export interface UsageSource {
  /** In cores or bytes by the resource's name; undefined when nothing says how much the container uses. */
  containerUsage(pod: Live<Pod>, container: string, resource: string): number | undefined;
  /** Of all pods of the node. */
  nodeUsage(node: string, resource: string): number;
}

export interface SimulatedUsageOptions {
  readonly clock: Clock;
  readonly seed: string;
  readonly informers: InformerFactory;
  readonly nodes: Informer<Node>;
  /** With an index `node`. */
  readonly pods: Informer<Pod>;
  readonly onError: (error: unknown) => void;
}

/** Usage as KWOK's `ResourceUsage` and `ClusterResourceUsage` say: fixed amounts, or CEL over `node`, `pod` and `container`. */
export class SimulatedUsage implements UsageSource {
  readonly #options: SimulatedUsageOptions;
  readonly #configuration: PodConfiguration<PodUsageResource, UsageEntry>;
  readonly #compiled = new Map<string, CelExpression | undefined>();
  readonly #sums = new Map<string, { at: number; sum: number }>();
  #cel: CelExpressions | undefined;
  #drawn = 0;

  constructor(options: SimulatedUsageOptions) {
    this.#options = options;
    this.#configuration = new PodConfiguration(
      options.informers,
      podUsageResources,
      ({ spec }) => spec.usages ?? [],
    );
  }

  containerUsage(pod: Live<Pod>, container: string, resource: string): number | undefined {
    const { namespace = '', name } = pod.metadata;
    const entry = entryFor(this.#configuration.entries(namespace, name), container);
    const amount = entry?.usage?.[resource];
    if (amount?.value !== undefined)
      return Number(quantityMilliValue(parseQuantity(String(amount.value)))) / 1000;
    if (amount?.expression === undefined) return undefined;
    return this.evaluate(amount.expression, {
      node: this.#options.nodes.get(undefined, pod.spec.nodeName ?? ''),
      pod,
      container: pod.spec.containers.find((one) => one.name === container),
    })?.number();
  }

  nodeUsage(node: string, resource: string): number {
    return this.#options.pods
      .byIndex('node', node)
      .reduce((sum, pod) => sum + this.#podUsage(pod, resource), 0);
  }

  /** The value of an expression; undefined when it cannot be compiled or fails. */
  evaluate(
    expression: string,
    {
      node,
      pod,
      container,
    }: {
      readonly node?: Live<Node> | undefined;
      readonly pod?: Live<Pod> | undefined;
      readonly container?: Container | undefined;
    },
  ): ReturnType<CelExpression> | undefined {
    if (!this.#compiled.has(expression)) this.#compiled.set(expression, this.#compile(expression));
    try {
      return this.#compiled.get(expression)?.({
        node: node && withMaps(node),
        pod: pod && withMaps(pod),
        container,
      });
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  #compile(expression: string): CelExpression | undefined {
    const { clock, seed, pods } = this.#options;
    this.#cel ??= celExpressions(
      ['node', 'pod', 'container'],
      [
        usageFunctions({
          clock,
          random: () => seededRandom(seed, 'usage', this.#drawn++),
          usage: (of, resource) => this.#usageOf(of, resource),
          cumulativeUsage: (of, resource) => this.#cumulative(of, resource),
          startedContainers: (node) =>
            pods.byIndex('node', node).reduce((sum, { spec }) => sum + spec.containers.length, 0),
        }),
      ],
    );
    try {
      return this.#cel.compile(expression);
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  #podUsage(pod: Live<Pod>, resource: string): number {
    return pod.spec.containers.reduce(
      (sum, { name }) => sum + (this.containerUsage(pod, name, resource) ?? 0),
      0,
    );
  }

  #usageOf({ kind, namespace, name, container }: UsageSubject, resource: string): number {
    if (kind === 'node') return this.nodeUsage(name, resource);
    const pod = this.#options.pods.get(namespace, name);
    if (!pod) return 0;
    return container === undefined
      ? this.#podUsage(pod, resource)
      : (this.containerUsage(pod, container, resource) ?? 0);
  }

  #cumulative(of: UsageSubject, resource: string): number {
    const key = [of.kind, of.namespace, of.name, of.container ?? '', resource].join('/');
    const at = this.#options.clock.monotonic();
    const before = this.#sums.get(key);
    const rate = this.#usageOf(of, resource);
    const sum = before ? before.sum + (rate * (at - before.at)) / 1000 : 0;
    this.#sums.set(key, { at, sum });
    return sum;
  }
}

/** Labels and annotations are there for expressions, as an empty map of Go is. */
function withMaps<T extends Live<Node> | Live<Pod>>(object: T): T {
  const { labels = {}, annotations = {} } = object.metadata;
  return { ...object, metadata: { ...object.metadata, labels, annotations } };
}
