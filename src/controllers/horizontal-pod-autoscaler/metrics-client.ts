import type { CrossVersionObjectReference } from '../../api/autoscaling/v2.gen.ts';
import type { Client } from '../../client/client.ts';
import { parseDuration } from '../../machinery/duration.ts';
import type { APIGroup } from '../../machinery/meta/v1.gen.ts';
import { parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts';
import { isStatus, StatusError } from '../../machinery/status-error.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
import type { ScaledKinds } from '../scale/scaled-kinds.ts';
import { MetricError, type PodMetrics } from './pod-metrics.ts';

/** Values are thousandths of the metric's unit. Every method throws {@link MetricError}, in upstream's words. */
export interface MetricsClient {
  /** What pods, or one container in each, use of a resource. */
  resource(request: {
    readonly namespace: string;
    readonly resource: string;
    readonly selector: string;
    readonly container?: string;
  }): Promise<PodMetrics>;
  /** A metric of pods. */
  pods(request: MetricRequest & { readonly selector: string }): Promise<PodMetrics>;
  /** A metric of one object. */
  object(request: MetricRequest & { readonly object: CrossVersionObjectReference }): Promise<number>;
  /** A metric of something outside the cluster: the values of all its series. */
  external(request: MetricRequest): Promise<readonly number[]>;
}

interface MetricRequest {
  readonly namespace: string;
  readonly metric: string;
  readonly metricSelector: string;
}

interface List<T> {
  readonly items?: readonly T[];
}

interface PodUsage {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly timestamp: string;
  readonly window: string;
  readonly containers?: readonly {
    readonly name: string;
    readonly usage: Readonly<Record<string, string>>;
  }[];
}

interface MetricValue {
  readonly describedObject: { readonly name: string };
  readonly timestamp: string;
  readonly windowSeconds?: number;
  readonly value: string;
}

const customGroup = 'custom.metrics.k8s.io';
const defaultWindowMs = 60_000;

/** Reads the three metrics APIs of a cluster, whoever serves them. */
export function createMetricsClient({ transport }: Client, kinds: ScaledKinds): MetricsClient {
  return {
    async resource({ namespace, resource, selector, container }) {
      const request = {
        verb: 'list',
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        resource: 'pods',
      } as const;
      const params = { labelSelector: selector };
      const { items = [] } = await ask<List<PodUsage>>('resource', { ...request, namespace, params });
      if (items.length === 0) throw new MetricError('no metrics returned from resource metrics API');
      return container === undefined ? podUsage(items, resource) : containerUsage(items, resource, container);
    },
    async pods({ namespace, metric, selector, metricSelector }) {
      const { items = [] } = await custom({
        namespace,
        resource: 'pods',
        name: '*',
        subresource: metric,
        params: { labelSelector: selector, ...selectorParam('metricLabelSelector', metricSelector) },
      });
      if (items.length === 0) throw new MetricError('no metrics returned from custom metrics API');
      return new Map(
        items.map((item) => [
          item.describedObject.name,
          {
            value: milli(item.value),
            at: Date.parse(item.timestamp),
            windowMs: item.windowSeconds === undefined ? defaultWindowMs : item.windowSeconds * 1000,
          },
        ]),
      );
    },
    async object({ namespace, metric, metricSelector, object }) {
      const params = selectorParam('metricLabelSelector', metricSelector);
      const place = isNamespace(object)
        ? { namespace, resource: 'metrics', name: metric }
        : { namespace, resource: await resourceOf(object), name: object.name, subresource: metric };
      const { items = [] } = await custom({ ...place, params });
      const [first] = items;
      if (!first || items.length > 1) {
        const message = `the custom metrics API server returned ${items.length} results when we asked for exactly one`;
        throw new MetricError(`unable to fetch metrics from custom metrics API: ${message}`);
      }
      return milli(first.value);
    },
    async external({ namespace, metric, metricSelector }) {
      const request = { verb: 'list', group: 'external.metrics.k8s.io', version: 'v1beta1' } as const;
      const params = selectorParam('labelSelector', metricSelector);
      const { items = [] } = await ask<List<MetricValue>>('external', {
        ...request,
        namespace,
        resource: metric,
        params,
      });
      if (items.length === 0) throw new MetricError('no metrics returned from external metrics API');
      return items.map(({ value }) => milli(value));
    },
  };

  async function custom(
    place: Pick<ApiRequest, 'resource'> & Partial<ApiRequest>,
  ): Promise<List<MetricValue>> {
    const version = await customVersion();
    return await ask<List<MetricValue>>('custom', { verb: 'get', group: customGroup, version, ...place });
  }

  async function customVersion(): Promise<string> {
    const none = new MetricError(
      `unable to fetch metrics from custom metrics API: no custom metrics API (${customGroup}) registered`,
    );
    try {
      const { versions } = (await transport.raw(`/apis/${customGroup}`)) as APIGroup;
      const served = versions.map(({ version }) => version);
      const known = ['v1beta2', 'v1beta1'].find((version) => served.includes(version));
      if (known === undefined) throw none;
      return known;
    } catch (error) {
      if (isStatus(error, 'NotFound')) throw none;
      throw error;
    }
  }

  /** The API names objects by their resource, with the group behind it. */
  async function resourceOf({ apiVersion = 'v1', kind }: CrossVersionObjectReference): Promise<string> {
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
    const found = await kinds.resourceOf({ group, kind });
    if (!found) {
      const message = `unable to map kind ${group === '' ? kind : `${kind}.${group}`} to resource: no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`;
      throw new MetricError(`unable to fetch metrics from custom metrics API: ${message}`);
    }
    return group === '' ? found.resource : `${found.resource}.${group}`;
  }

  async function ask<T>(api: 'resource' | 'custom' | 'external', request: ApiRequest): Promise<T> {
    try {
      return (await transport.request(request)) as T;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new MetricError(`unable to fetch metrics from ${api} metrics API: ${error.message}`);
    }
  }
}

function isNamespace({ apiVersion = 'v1', kind }: CrossVersionObjectReference): boolean {
  return kind === 'Namespace' && !apiVersion.includes('/');
}

function selectorParam(name: string, selector: string): Record<string, string> {
  return selector === '' ? {} : { [name]: selector };
}

function milli(quantity: string): number {
  return Number(quantityMilliValue(parseQuantity(quantity)));
}

/** The sum over a pod's containers; a pod with one that is not known has no metric. */
function podUsage(items: readonly PodUsage[], resource: string): PodMetrics {
  const metrics: [string, { value: number; at: number; windowMs: number }][] = [];
  for (const { metadata, timestamp, window, containers = [] } of items) {
    const usages = containers.map(({ usage }) => usage[resource]).filter((usage) => usage !== undefined);
    if (containers.length === 0 || usages.length < containers.length) continue;
    const value = usages.reduce((sum, usage) => sum + milli(usage), 0);
    metrics.push([metadata.name, { value, at: Date.parse(timestamp), windowMs: windowMs(window) }]);
  }
  return new Map(metrics);
}

function containerUsage(items: readonly PodUsage[], resource: string, container: string): PodMetrics {
  const metrics: [string, { value: number; at: number; windowMs: number }][] = [];
  for (const { metadata, timestamp, window, containers = [] } of items) {
    const found = containers.find(({ name }) => name === container);
    if (!found) {
      const pod = `${metadata.namespace ?? ''}/${metadata.name}`;
      throw new MetricError(
        `failed to get container metrics: container ${container} not present in metrics for pod ${pod}`,
      );
    }
    const usage = found.usage[resource];
    if (usage === undefined) continue;
    metrics.push([
      metadata.name,
      { value: milli(usage), at: Date.parse(timestamp), windowMs: windowMs(window) },
    ]);
  }
  return new Map(metrics);
}

function windowMs(window: string): number {
  return Number(parseDuration(window)) / 1e6;
}
