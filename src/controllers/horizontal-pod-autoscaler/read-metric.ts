import type { MetricIdentifier, MetricSpec } from '../../api/autoscaling/v2.gen.ts';
import { printSelector, selectorFrom } from '../../machinery/selectors/label-selector.ts';
import type { MetricsClient } from './metrics-client.ts';
import { MetricError } from './pod-metrics.ts';
import { printMetricSelector, type Reading } from './proposal.ts';

/** Asks for one metric of the pods that a selector selects; what goes wrong is part of the answer. */
export async function readMetric(
  client: MetricsClient,
  spec: MetricSpec,
  target: { readonly namespace: string; readonly selector: string },
): Promise<Reading> {
  const [what, read] = readingOf(client, spec, target);
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof MetricError)) throw error;
    return { type: 'problem', problem: `${what}${error.message}` };
  }
}

/** What is asked for, in upstream's words, and how. */
function readingOf(
  client: MetricsClient,
  { resource, containerResource, pods, object, external }: MetricSpec,
  { namespace, selector }: { readonly namespace: string; readonly selector: string },
): readonly [string, () => Promise<Reading>] {
  const ofPods = resource ?? containerResource;
  if (ofPods) {
    const { name } = ofPods;
    const container = containerResource && { container: containerResource.container };
    const request = { namespace, resource: name, selector, ...container };
    return [
      `unable to get metrics for resource ${name}: `,
      async () => ({ type: 'pods', samples: await client.resource(request) }),
    ];
  }
  if (pods) {
    const request = { namespace, selector, ...identify(pods.metric) };
    return [
      `unable to get metric ${pods.metric.name}: `,
      async () => ({ type: 'pods', samples: await client.pods(request) }),
    ];
  }
  if (object) {
    const { describedObject, metric } = object;
    const request = { namespace, object: describedObject, ...identify(metric) };
    return [
      `unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/`,
      async () => ({ type: 'value', value: await client.object(request) }),
    ];
  }
  if (external) {
    const { metric } = external;
    return [
      `unable to get external metric ${namespace}/${metric.name}/${printMetricSelector(metric)}: `,
      async () => {
        const values = await client.external({ namespace, ...identify(metric) });
        return { type: 'value', value: values.reduce((sum, value) => sum + value, 0) };
      },
    ];
  }
  return ['', () => Promise.resolve({ type: 'problem', problem: 'no metric is named' })];
}

function identify({ name, selector }: MetricIdentifier): { metric: string; metricSelector: string } {
  return { metric: name, metricSelector: selector ? printSelector(selectorFrom(selector)) : '' };
}
