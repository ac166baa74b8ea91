import type { NodeAgent } from '../agent.ts';
import { nodeMetricPages } from '../stats/node-metrics.ts';
import { statsSummary } from '../stats/summary.ts';
import type { UsageSampler } from '../stats/usage-sampler.ts';
import type { Clock } from '../../base/clock.ts';

export interface NodePagesOptions {
  readonly agent: () => NodeAgent;
  readonly sampler: () => UsageSampler;
  readonly clock: Clock;
  /** The `KubeletConfiguration` in force. */
  configuration(): object;
}

export interface NodePage {
  readonly type: string;
  readonly body: string;
}

const json = 'application/json';
const text = 'text/plain; charset=utf-8';
const exposition = 'text/plain; version=0.0.4; charset=utf-8';

/** Pods with a running container, with nothing but what the runtime knows of them. */
function runningPodList(
  pods: ReturnType<NodeAgent['pods']>,
  containers: ReturnType<UsageSampler['containers']>,
): object {
  const items = pods.flatMap(({ metadata: { name, namespace, uid } }) => {
    const running = containers.get(uid) ?? [];
    if (running.length === 0) return [];
    const named = running.map(({ status }) => ({ name: status.name, image: status.image, resources: {} }));
    return [
      {
        metadata: { name, namespace, uid, creationTimestamp: null },
        spec: { containers: named },
        status: {},
      },
    ];
  });
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}

/** What a node's endpoint answers a GET of a path with; undefined for other paths. */
export function createNodePages(options: NodePagesOptions): (path: string) => NodePage | undefined {
  const { agent, sampler, clock } = options;
  const startedAt = clock.now();
  const pods = (): ReturnType<NodeAgent['pods']> => agent().pods();
  let metrics: ReturnType<typeof nodeMetricPages> | undefined;
  const page = (name: keyof ReturnType<typeof nodeMetricPages>): NodePage => {
    metrics ??= nodeMetricPages({
      nodeName: agent().nodeName,
      sampler: sampler(),
      pods,
      probes: agent().probes,
      volumes: (uid) => agent().volumeStats(uid),
    });
    return { type: exposition, body: metrics[name].text() };
  };
  const runningPods = (): NodePage => ({
    type: json,
    body: JSON.stringify(runningPodList(pods(), sampler().containers())),
  });
  const pages: Readonly<Record<string, () => NodePage>> = {
    '/healthz': () => ({ type: text, body: 'ok' }),
    '/pods': () => ({
      type: json,
      body: JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods() }),
    }),
    '/runningpods': runningPods,
    '/runningpods/': runningPods,
    '/configz': () => ({ type: json, body: JSON.stringify({ kubeletconfig: options.configuration() }) }),
    '/healthz/ping': () => ({ type: text, body: 'ok' }),
    '/metrics/probes': () => page('probes'),
    '/stats/summary': () => ({
      type: json,
      body: JSON.stringify(
        statsSummary({
          nodeName: agent().nodeName,
          startedAt,
          sampler: sampler(),
          pods,
          volumes: (uid) => agent().volumeStats(uid),
        }),
      ),
    }),
    '/metrics': () => page('agent'),
    '/metrics/resource': () => page('resource'),
    '/metrics/cadvisor': () => page('cadvisor'),
  };
  return (path) => (Object.hasOwn(pages, path) ? pages[path]?.() : undefined);
}
