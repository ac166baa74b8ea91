import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { RequestObserver, RequestRecord } from '../http/request-record.ts';

/** Counts requests for logs by how the node's certificate was looked at, which is always checked here. */
export function podLogMetrics(registry: MetricRegistry): RequestObserver {
  const asked = registry
    .counter({
      name: 'kube_apiserver_pod_logs_insecure_backend_total',
      help: "[ALPHA] Requests for logs, by whether the node's certificate is checked.",
      labels: ['usage'],
    })
    .labels('enforce_tls');
  const failures = registry
    .counter({
      name: 'kube_apiserver_pod_logs_backend_tls_failure_total',
      help: "[ALPHA] Requests for logs that failed because the node's certificate is not good.",
    })
    .labels();
  return {
    started(record) {
      if (isPodLog(record)) asked.add();
    },
    completed(record) {
      if (record.isUntrustedBackend && isPodLog(record)) failures.add();
    },
  };
}

function isPodLog({ info }: RequestRecord): boolean {
  return info?.isResource === true && info.resource === 'pods' && info.subresource === 'log';
}
