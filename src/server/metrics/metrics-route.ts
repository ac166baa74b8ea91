import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { Reply } from '../http/exchange.ts';
import type { HealthCheck, PathRoute } from '../http/path-routes.ts';

const contentType = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** Serves `/metrics`. */
export function metricsRoute(registry: MetricRegistry): PathRoute {
  return ({ path }) => (path === '/metrics' ? textOf(registry) : undefined);
}

/** Serves `/metrics/slis`: what the health checks say, and how often they have said it. */
export function slisRoute(registry: MetricRegistry, checks: () => readonly TypedCheck[]): PathRoute {
  const labels = ['name', 'type'];
  const states = registry.gauge({
    name: 'kubernetes_healthcheck',
    help: '[STABLE] What a health check said last: 1 for well.',
    labels,
  });
  const total = registry.counter({
    name: 'kubernetes_healthchecks_total',
    help: '[STABLE] What health checks have said.',
    labels: [...labels, 'status'],
  });
  return ({ path }) => {
    if (path !== '/metrics/slis') return undefined;
    for (const { type, check } of checks()) {
      const passes = check.failure() === undefined;
      states.labels(check.name, type).set(passes ? 1 : 0);
      total.labels(check.name, type, passes ? 'success' : 'error').add();
    }
    return textOf(registry);
  };
}

/** A health check under one of the paths that show it. */
export interface TypedCheck {
  readonly type: 'healthz' | 'livez' | 'readyz';
  readonly check: HealthCheck;
}

function textOf(registry: MetricRegistry): Reply {
  return { code: 200, contentType, body: Buffer.from(registry.text()) };
}
