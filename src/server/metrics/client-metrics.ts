import type { Clock } from '../../base/clock.ts';
import type { Value } from '../../base/metrics/counter.ts';
import type { Distribution } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import { methodOf } from '../../machinery/request-path.ts';
import type { CalloutObserver } from '../callout/https-callout.ts';
import type { RequestObserver } from '../http/request-record.ts';

const sizeBuckets = [64, 256, 512, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

/** Hear of the requests that this process sends. */
export interface ClientObservers {
  /** To this server by function call: those of the controllers and the like. */
  readonly inProcess: RequestObserver;
  /** To webhooks. */
  readonly callouts: CalloutObserver;
}

/** Counts and times the requests that this process sends, under the names that client-go has for its own. */
export function clientMetrics(registry: MetricRegistry, clock: Clock): ClientObservers {
  const labels = ['verb', 'host'];
  const totals = registry.counter({
    name: 'rest_client_requests_total',
    help: '[ALPHA] Requests that this process has sent, by answer; in the process the host is localhost.',
    labels: ['code', 'method', 'host'],
  });
  const durations = registry.histogram({
    name: 'rest_client_request_duration_seconds',
    help: '[ALPHA] How long requests take that this process sends, in seconds.',
    labels,
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
  });
  const sent = registry.histogram({
    name: 'rest_client_request_size_bytes',
    help: '[ALPHA] Sizes of the bodies that this process sends to others, in bytes.',
    labels,
    buckets: sizeBuckets,
  });
  const received = registry.histogram({
    name: 'rest_client_response_size_bytes',
    help: '[ALPHA] Sizes of the answers that others send to this process, in bytes.',
    labels,
    buckets: sizeBuckets,
  });
  const host = 'localhost';
  const known = new Map<string, Value>();
  const times = new Map<string, Distribution>();
  const totalOf = (code: number, method: string): Value => {
    const key = `${code} ${method}`;
    let found = known.get(key);
    if (!found) known.set(key, (found = totals.labels(String(code), method, host)));
    return found;
  };
  const timesOf = (method: string): Distribution => {
    let found = times.get(method);
    if (!found) times.set(method, (found = durations.labels(method, host)));
    return found;
  };
  return {
    inProcess: {
      completed({ info, response, isLongRunning, startedAt }) {
        if (!info?.isResource || !response) return;
        const method = methodOf(info.verb);
        totalOf(response.code, method).add();
        if (!isLongRunning) timesOf(method).observe((clock.monotonic() - startedAt) / 1000);
      },
    },
    callouts: {
      now: () => clock.monotonic(),
      called({ host: to, code, since, bytesSent, bytesReceived }) {
        totals.labels(code === undefined ? '<error>' : String(code), 'POST', to).add();
        durations.labels('POST', to).observe((clock.monotonic() - since) / 1000);
        sent.labels('POST', to).observe(bytesSent);
        if (bytesReceived !== undefined) received.labels('POST', to).observe(bytesReceived);
      },
    },
  };
}
