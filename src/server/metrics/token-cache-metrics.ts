import type { Clock } from '../../base/clock.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { TokenCacheObserver } from '../auth/token-webhook.ts';

/** Counts and times what is asked of the kept answers of a token webhook, under upstream's names. */
export function tokenCacheMetrics(registry: MetricRegistry, clock: Clock): TokenCacheObserver {
  const labels = ['status'];
  const requests = registry.counter({
    name: 'authentication_token_cache_request_total',
    help: '[ALPHA] Tokens that were looked up, by whether the answer was known.',
    labels,
  });
  const durations = registry.histogram({
    name: 'authentication_token_cache_request_duration_seconds',
    help: '[ALPHA] How long it takes to look up a token, in seconds.',
    labels,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const fetches = registry.counter({
    name: 'authentication_token_cache_fetch_total',
    help: '[ALPHA] Questions to the webhook, by how they went.',
    labels,
  });
  const active = registry.gauge({
    name: 'authentication_token_cache_active_fetch_count',
    help: '[ALPHA] Questions to the webhook that are not answered yet, and requests that wait for those of others.',
    labels,
  });
  return {
    now: () => clock.monotonic(),
    lookedUp(status, since) {
      requests.labels(status).add();
      durations.labels(status).observe((clock.monotonic() - since) / 1000);
    },
    waiting: (status, change) => active.labels(status).add(change),
    fetched: (status) => fetches.labels(status).add(),
  };
}
