import { networksOf, type ClusterPlan } from './plan-cluster.ts';
import type { StartOptions } from './start-cluster.ts';

/** How the API server runs, in kube-apiserver's words, for `/flagz`: what was asked for, and what every cluster has. */
export function apiServerFlags(
  plan: ClusterPlan,
  options: StartOptions,
  serving: { readonly issuer: string; readonly port: number },
): Record<string, string> {
  const { audit, admissionPlugins, authenticationConfig, tokenWebhookConfig } = options;
  const { enable = [], disable = [] } = admissionPlugins ?? {};
  const list = (items: readonly string[]): string => `[${items.join(',')}]`;
  return {
    'authorization-mode': list(['Node', 'RBAC']),
    'bind-address': plan.outside?.listen ?? '127.0.0.1',
    ...(plan.outside && { 'advertise-address': plan.outside.advertise }),
    'disable-admission-plugins': list(disable),
    'enable-admission-plugins': list(['NodeRestriction', ...enable]),
    'enable-aggregator-routing': 'true',
    'enable-bootstrap-token-auth': 'true',
    'enable-priority-and-fairness': 'true',
    ...(options.featureGates?.length && { 'feature-gates': options.featureGates.join(',') }),
    'requestheader-allowed-names': list(['front-proxy-client']),
    'secure-port': String(serving.port),
    'service-account-issuer': list([serving.issuer]),
    'service-cluster-ip-range': networksOf(plan).services,
    ...(authenticationConfig === undefined
      ? { 'anonymous-auth': 'true' }
      : { 'authentication-config': authenticationConfig }),
    ...(tokenWebhookConfig !== undefined && {
      'authentication-token-webhook-config-file': tokenWebhookConfig,
    }),
    ...(audit && {
      'audit-log-maxage': String(audit.maxAgeDays),
      'audit-log-maxbackup': String(audit.maxBackups),
      'audit-log-maxsize': String(Math.ceil(audit.maxBytes / 2 ** 20)),
      'audit-log-path': audit.logPath,
      'audit-policy-file': audit.policyFile,
    }),
  };
}
