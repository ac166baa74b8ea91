import type { Clock } from '../../base/clock.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { WebhookObserver } from '../admission/webhooks/webhook-observer.ts';

/** How calls of admission webhooks go, under upstream's names. */
export function webhookMetrics(registry: MetricRegistry, clock: Clock): WebhookObserver {
  const labels = ['name', 'type', 'operation', 'rejected'];
  const durations = registry.histogram({
    name: 'apiserver_admission_webhook_admission_duration_seconds',
    help: '[STABLE] How long admission webhooks take, in seconds.',
    labels,
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25],
  });
  const requests = registry.counter({
    name: 'apiserver_admission_webhook_request_total',
    help: '[ALPHA] Calls of admission webhooks, by what they answered.',
    labels: ['name', 'type', 'operation', 'code', 'rejected'],
  });
  const rejections = registry.counter({
    name: 'apiserver_admission_webhook_rejection_count',
    help: '[ALPHA] Requests that admission webhooks refused or kept from being decided.',
    labels: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
  });
  const failedOpen = registry.counter({
    name: 'apiserver_admission_webhook_fail_open_count',
    help: '[ALPHA] Webhooks that were passed over because they gave no usable answer.',
    labels: ['name', 'type'],
  });
  return {
    now: () => clock.monotonic(),
    called({ name, type, operation, ms, rejected, code, failure }) {
      // Upstream counts all codes from 600 on as one.
      const shown = String(Math.min(code, 600));
      durations.labels(name, type, operation, String(rejected)).observe(ms / 1000);
      requests.labels(name, type, operation, shown, String(rejected)).add();
      if (failure) rejections.labels(name, type, operation, failure, shown).add();
    },
    failedOpen: (name, type) => failedOpen.labels(name, type).add(),
  };
}
