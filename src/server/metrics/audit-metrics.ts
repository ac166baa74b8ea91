import type { MetricRegistry } from '../../base/metrics/registry.ts';

/** Counts the events of the audit log; 0 where there is none. */
export function auditMetrics(registry: MetricRegistry): () => void {
  const events = registry
    .counter({ name: 'apiserver_audit_event_total', help: '[ALPHA] Events written to the audit log.' })
    .labels();
  return () => events.add();
}
