import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replicasets } from '../../api/apps/v1.gen.ts';
import {
  horizontalpodautoscalers,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerSpec,
} from '../../api/autoscaling/v2.gen.ts';
import { events, pods } from '../../api/core/v1.gen.ts';
import { createClient } from '../../client/create-client.ts';
import type { Live } from '../../machinery/object.ts';
import { newGenericServerResponse } from '../../machinery/status/errors.ts';
import type { ApiRequest, Transport } from '../../machinery/transport.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { fakeNode } from '../../reconcile/fake-node.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { horizontalPodAutoscalerController } from './controller.ts';

type Answers = Readonly<Record<string, unknown>>;

let server: TestServer;
let answers: Answers = {};
let asked: string[] = [];

/** The controller, with metrics APIs that answer as `answers` says; names of pods are filled in. */
const withMetrics: Controller = {
  ...horizontalPodAutoscalerController,
  start: (context) =>
    horizontalPodAutoscalerController.start({
      ...context,
      client: createClient(metricsOver(context.client.transport)),
    }),
};

function metricsOver(inner: Transport): Transport {
  return {
    ...inner,
    request(request) {
      if (!request.group.endsWith('metrics.k8s.io')) return inner.request(request);
      return answer(inner, request);
    },
    async raw(path, signal) {
      const versions = answers[path];
      if (!path.includes('metrics.k8s.io')) return await inner.raw(path, signal);
      if (!versions) throw newGenericServerResponse({ code: 404 });
      return versions;
    },
  };
}

async function answer(inner: Transport, request: ApiRequest): Promise<unknown> {
  const { group, version, namespace = '', resource, name, subresource, params = {} } = request;
  const path = [group, version, namespace, resource, name, subresource].filter(Boolean).join('/');
  asked.push(`${path}?${new URLSearchParams(params).toString()}`);
  const found = answers[path];
  if (!found) throw newGenericServerResponse({ code: 404, method: 'GET', resource: { group, resource } });
  const list = await createClient(inner).for(pods).list({ namespace });
  const names = list.items.map(({ metadata }) => metadata.name);
  const template = found as { readonly items: readonly object[] };
  if (resource !== 'pods') return template;
  return {
    items: names.map((one) => ({
      ...template.items[0],
      metadata: { name: one, namespace },
      describedObject: { name: one },
    })),
  };
}

beforeEach(async () => {
  answers = {};
  asked = [];
  server = await startTestServer([serviceAccountController, replicaSetController, fakeNode, withMetrics]);
});
afterEach(async () => {
  await server.stop();
});

const labels = { app: 'web' };
const place = { namespace: 'default', name: 'web' };

async function scaled(spec: Partial<HorizontalPodAutoscalerSpec>): Promise<void> {
  const { client } = server;
  const container = { name: 'c', image: 'i', resources: { requests: { memory: '100Mi' } } };
  await client.for(replicasets).create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: place,
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
  await eventually(client, replicasets, ([one]) => one?.status?.readyReplicas === 2);
  await client.for(horizontalpodautoscalers).create({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: place,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web' },
      maxReplicas: 9,
      ...spec,
    },
  });
}

async function condition(type: string): Promise<string> {
  const of = (one: Live<HorizontalPodAutoscaler> | undefined): string | undefined => {
    const found = one?.status?.conditions?.find((other) => other.type === type);
    return found && `${found.status} ${found.reason}: ${found.message}`;
  };
  const [one] = await eventually(
    server.client,
    horizontalpodautoscalers,
    ([first]) => of(first) !== undefined,
  );
  return of(one) ?? '';
}

async function replicas(count: number): Promise<HorizontalPodAutoscaler['status']> {
  await eventually(server.client, replicasets, ([one]) => one?.spec.replicas === count);
  const [one] = await eventually(
    server.client,
    horizontalpodautoscalers,
    ([first]) => first?.status?.desiredReplicas === count,
  );
  return one?.status;
}

const time = new Date().toISOString();

describe('scaling by', () => {
  it('a resource', async () => {
    const containers = [{ name: 'c', usage: { memory: '80Mi' } }];
    answers = {
      'metrics.k8s.io/v1beta1/default/pods': { items: [{ timestamp: time, window: '30s', containers }] },
    };
    const target = { type: 'Utilization', averageUtilization: 40 };
    await scaled({ metrics: [{ type: 'Resource', resource: { name: 'memory', target } }] });
    const status = await replicas(4);
    expect(status?.currentMetrics).toEqual([
      {
        type: 'Resource',
        resource: { name: 'memory', current: { averageUtilization: 80, averageValue: '83886080' } },
      },
    ]);
    expect(asked[0]).toBe('metrics.k8s.io/v1beta1/default/pods?labelSelector=app%3Dweb');
    await eventually(server.client, events, (list) =>
      list.some(
        ({ message }) =>
          message === 'New size: 4; reason: memory resource utilization (percentage of request) above target',
      ),
    );
  });

  it('a container’s resource', async () => {
    const containers = [
      { name: 'c', usage: { memory: '150Mi' } },
      { name: 'proxy', usage: { memory: '1Gi' } },
    ];
    answers = {
      'metrics.k8s.io/v1beta1/default/pods': { items: [{ timestamp: time, window: '30s', containers }] },
    };
    const target = { type: 'AverageValue', averageValue: '50Mi' };
    await scaled({
      metrics: [{ type: 'ContainerResource', containerResource: { name: 'memory', container: 'c', target } }],
    });
    expect((await replicas(4))?.currentReplicas).toBe(2);
  });

  it('a metric of the pods', async () => {
    answers = {
      '/apis/custom.metrics.k8s.io': { versions: [{ version: 'v1beta1' }] },
      'custom.metrics.k8s.io/v1beta1/default/pods/*/requests': {
        items: [{ timestamp: time, value: '1500m' }],
      },
    };
    const metric = { name: 'requests', selector: { matchLabels: { verb: 'GET' } } };
    await scaled({
      metrics: [{ type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: '1' } } }],
    });
    expect((await replicas(3))?.currentMetrics).toEqual([
      { type: 'Pods', pods: { metric, current: { averageValue: '1500m' } } },
    ]);
    expect(asked[0]).toBe(
      'custom.metrics.k8s.io/v1beta1/default/pods/*/requests?labelSelector=app%3Dweb&metricLabelSelector=verb%3DGET',
    );
  });

  it('a metric of an object', async () => {
    answers = {
      '/apis/custom.metrics.k8s.io': { versions: [{ version: 'v1beta1' }, { version: 'v1beta2' }] },
      'custom.metrics.k8s.io/v1beta2/default/ingresses.networking.k8s.io/main/hits': {
        items: [{ value: '20' }],
      },
    };
    const describedObject = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' };
    const target = { type: 'Value', value: '10' };
    await scaled({
      metrics: [{ type: 'Object', object: { describedObject, metric: { name: 'hits' }, target } }],
    });
    expect((await replicas(4))?.currentReplicas).toBe(2);
  });

  it('a metric of the namespace', async () => {
    answers = {
      '/apis/custom.metrics.k8s.io': { versions: [{ version: 'v1beta2' }] },
      'custom.metrics.k8s.io/v1beta2/default/metrics/hits': { items: [{ value: '30' }] },
    };
    const describedObject = { apiVersion: 'v1', kind: 'Namespace', name: 'ignored' };
    const target = { type: 'AverageValue', averageValue: '10' };
    await scaled({
      metrics: [{ type: 'Object', object: { describedObject, metric: { name: 'hits' }, target } }],
    });
    expect((await replicas(3))?.currentReplicas).toBe(2);
  });

  it('a metric from outside: all its series', async () => {
    answers = {
      'external.metrics.k8s.io/v1beta1/default/queue': { items: [{ value: '20' }, { value: '15' }] },
    };
    const target = { type: 'AverageValue', averageValue: '10' };
    await scaled({ metrics: [{ type: 'External', external: { metric: { name: 'queue' }, target } }] });
    expect((await replicas(4))?.currentReplicas).toBe(2);
  });
});

describe('what is missing', () => {
  it.each<[string, HorizontalPodAutoscalerSpec['metrics'], string]>([
    [
      'the resource metrics API',
      [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        },
      ],
      'False FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
    ],
    [
      'the custom metrics API',
      [
        {
          type: 'Pods',
          pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: '1' } },
        },
      ],
      'False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric x: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    ],
    [
      'the external metrics API',
      [{ type: 'External', external: { metric: { name: 'q' }, target: { type: 'Value', value: '1' } } }],
      'False FailedGetExternalMetric: the HPA was unable to compute the replica count: unable to get external metric default/q/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get q.external.metrics.k8s.io)',
    ],
  ])('%s', async (_, metrics, expected) => {
    await scaled({ ...(metrics && { metrics }) });
    expect(await condition('ScalingActive')).toBe(expected);
  });

  it.each<[string, HorizontalPodAutoscalerSpec['scaleTargetRef'], string]>([
    [
      'the target',
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      'deployments.apps "x" not found',
    ],
    [
      'the kind of the target',
      { apiVersion: 'example.org/v1', kind: 'Thing', name: 'x' },
      'no matches for kind "Thing" in group "example.org"',
    ],
    [
      'a scale of the target',
      { apiVersion: 'batch/v1', kind: 'Job', name: 'x' },
      'the server could not find the requested resource',
    ],
  ])('%s', async (_, scaleTargetRef, problem) => {
    await scaled({ scaleTargetRef });
    expect(await condition('AbleToScale')).toBe(
      `False FailedGetScale: the HPA controller was unable to get the target's current scale: ${problem}`,
    );
  });

  it('a target of one’s own', async () => {
    answers = { 'external.metrics.k8s.io/v1beta1/default/queue': { items: [{ value: '2' }] } };
    const target = { type: 'Value', value: '2' };
    const metrics = [{ type: 'External', external: { metric: { name: 'queue' }, target } }];
    await scaled({ metrics });
    await condition('ScalingActive');
    const [first] = await server.client
      .for(horizontalpodautoscalers)
      .list()
      .then(({ items }) => items);
    if (!first) throw new Error('no autoscaler');
    await server.client.for(horizontalpodautoscalers).create({
      ...first,
      metadata: { namespace: 'default', name: 'rival' },
    });
    const list = await eventually(server.client, horizontalpodautoscalers, (all) =>
      all.some(({ status }) => status?.conditions?.some(({ reason }) => reason === 'AmbiguousSelector')),
    );
    expect(list.flatMap(({ status }) => status?.conditions ?? []).map(({ message }) => message)).toContain(
      'pods by selector app=web are controlled by multiple HPAs: [default/rival default/web]',
    );
  });
});
