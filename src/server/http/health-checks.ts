import type { TypedCheck } from '../metrics/metrics-route.ts';
import type { HealthCheck } from './path-routes.ts';
import { startSteps } from './start-steps.ts';

/** What `/healthz` and `/livez`, and what `/readyz` ask. */
export interface HealthChecks {
  readonly health: readonly HealthCheck[];
  readonly ready: readonly HealthCheck[];
}

/** The checks as `/metrics/slis` shows them. */
export function typedChecks({ health, ready }: HealthChecks): TypedCheck[] {
  return [
    ...health.flatMap((check) => [
      { type: 'healthz' as const, check },
      { type: 'livez' as const, check },
    ]),
    ...ready.map((check) => ({ type: 'readyz' as const, check })),
  ];
}

/** The checks of a server that stops when the signal aborts. */
export function healthChecks(stopping: AbortSignal): HealthChecks {
  const passing = (name: string): HealthCheck => ({ name, failure: () => undefined });
  const live = [...['ping', 'log'].map(passing), ...startSteps, passing('autoregister-completion')];
  const shutdown: HealthCheck = {
    name: 'shutdown',
    failure: () => (stopping.aborted ? 'process is shutting down' : undefined),
  };
  const own = ['etcd', 'loopback-serving-certificate'].map(passing);
  return { health: [...live, ...own], ready: [...live, passing('informer-sync'), shutdown] };
}
