import type { MetricRegistry } from '../../base/metrics/registry.ts';
import { methodOf } from '../../machinery/request-path.ts';
import type { RequestObserver } from '../http/request-record.ts';

/** Counts connections that ended before they were encrypted. */
export function handshakeMetrics(registry: MetricRegistry): () => void {
  const errors = registry
    .counter({
      name: 'apiserver_tls_handshake_errors_total',
      help: '[ALPHA] Connections on which the server and a client did not agree on encryption.',
    })
    .labels();
  return () => errors.add();
}

/** Counts the requests that the server sends to itself. */
export function selfRequestMetrics(registry: MetricRegistry): RequestObserver {
  const requests = registry.counter({
    name: 'apiserver_selfrequest_total',
    help: '[ALPHA] Requests of the server to itself, by what they ask for.',
    labels: ['verb', 'group', 'resource', 'subresource'],
  });
  return {
    completed({ info }) {
      if (!info?.isResource) return;
      const { verb, group, resource, subresource = '' } = info;
      const shown = verb === 'list' || verb === 'watch' ? verb.toUpperCase() : methodOf(verb);
      requests.labels(shown, group, resource, subresource).add();
    },
  };
}
