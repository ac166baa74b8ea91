import { claimEvaluator } from './claim-evaluator.ts';
import { deviceClaimEvaluator } from './device-claim-evaluator.ts';
import { podEvaluator } from './pod-evaluator.ts';
import type { QuotaEvaluator } from './quota-evaluator.ts';
import { serviceEvaluator } from './service-evaluator.ts';

/** Counted by their own names beside `count/…`. */
const namedCounts = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']);

function objectCount(group: string, resource: string): QuotaEvaluator {
  const names = [group === '' ? `count/${resource}` : `count/${resource}.${group}`];
  if (group === '' && namedCounts.has(resource)) names.push(resource);
  const usage = Object.fromEntries(names.map((name) => [name, '1']));
  return {
    charges: (operation, subresource) => operation === 'CREATE' && subresource === '',
    counts: (name) => names.includes(name),
    usage: () => usage,
  };
}

/** How a resource counts. */
export function evaluatorOf(group: string, resource: string): QuotaEvaluator {
  if (group === '' && resource === 'pods') return podEvaluator;
  if (group === '' && resource === 'services') return serviceEvaluator;
  if (group === '' && resource === 'persistentvolumeclaims') return claimEvaluator;
  if (group === 'resource.k8s.io' && resource === 'resourceclaims') return deviceClaimEvaluator;
  return objectCount(group, resource);
}
