import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { SecurityObserver } from '../admission/pod-security/pod-security.ts';

/** Counts what the levels of the Pod Security Standards say of pods, under upstream's name. */
export function podSecurityMetrics(registry: MetricRegistry): SecurityObserver {
  const evaluations = registry.counter({
    name: 'pod_security_evaluations_total',
    help: '[STABLE] Decisions about pods, by level and what it was asked for.',
    labels: [
      'decision',
      'policy_level',
      'policy_version',
      'mode',
      'request_operation',
      'resource',
      'subresource',
    ],
  });
  return ({ decision, level: { level, minor }, mode, request }) => {
    const { operation, resource, subresource } = request;
    const version = level === 'privileged' || minor === undefined ? 'latest' : `v1.${minor}`;
    const about = resource === 'pods' ? 'pod' : 'controller';
    evaluations.labels(decision, level, version, mode, operation.toLowerCase(), about, subresource).add();
  };
}
