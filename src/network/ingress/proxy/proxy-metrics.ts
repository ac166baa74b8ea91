import { MetricRegistry } from '../../../base/metrics/registry.ts';

/** What the proxy counts, for Prometheus. */
export interface ProxyMetrics {
  answered(request: {
    readonly route: string;
    readonly status: number;
    readonly protocol: string;
    readonly seconds: number;
    readonly bytes: number;
  }): void;
  retried(upstream: string): void;
  failed(upstream: string, status: number): void;
  connections(change: 1 | -1): void;
  active(change: 1 | -1): void;
  /** Text exposition format. */
  text(): string;
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createProxyMetrics(): ProxyMetrics {
  const registry = new MetricRegistry();
  const requests = registry.counter({
    name: 'kanoe_ingress_requests_total',
    help: 'Requests answered, by route, status code and protocol.',
    labels: ['route', 'code', 'protocol'],
  });
  const durations = registry.histogram({
    name: 'kanoe_ingress_request_duration_seconds',
    help: 'Time from the arrival of a request until its answer was complete.',
    labels: ['route'],
    buckets,
  });
  const bytes = registry.counter({
    name: 'kanoe_ingress_response_bytes_total',
    help: 'Bytes of bodies of answers.',
    labels: ['route'],
  });
  const retries = registry.counter({
    name: 'kanoe_ingress_upstream_retries_total',
    help: 'Requests handed to another endpoint because one did not accept them.',
    labels: ['upstream'],
  });
  const failures = registry.counter({
    name: 'kanoe_ingress_upstream_failures_total',
    help: 'Requests that no endpoint answered.',
    labels: ['upstream', 'code'],
  });
  const known = new Map<
    string,
    {
      readonly seconds: ReturnType<typeof durations.labels>;
      readonly counts: Map<string, ReturnType<typeof requests.labels>>;
    }
  >();
  let open = 0;
  let running = 0;
  registry.reading(
    'gauge',
    { name: 'kanoe_ingress_connections', help: 'Open connections of clients.' },
    () => [[[], open]],
  );
  registry.reading('gauge', { name: 'kanoe_ingress_active_requests', help: 'Requests under way.' }, () => [
    [[], running],
  ]);
  return {
    answered({ route, status, protocol, seconds, bytes: count }) {
      let of = known.get(route);
      if (!of) known.set(route, (of = { seconds: durations.labels(route), counts: new Map() }));
      const key = `${status}${protocol}`;
      let counter = of.counts.get(key);
      if (!counter) of.counts.set(key, (counter = requests.labels(route, String(status), protocol)));
      counter.add();
      of.seconds.observe(seconds);
      if (count > 0) bytes.labels(route).add(count);
    },
    retried: (upstream) => retries.labels(upstream).add(),
    failed: (upstream, status) => failures.labels(upstream, String(status)).add(),
    connections: (change) => void (open += change),
    active: (change) => void (running += change),
    text: () => registry.text(),
  };
}
