import { canonicalQuantity } from '../../machinery/quantity.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { compareQuantities } from './pod-spec/quantities.ts';
import { roundResources } from './pod-spec/resource-rounding.ts';
import {
  validateResourceQuota,
  validateResourceQuotaStatus,
  validateResourceQuotaUpdate,
} from './resource-quota-validation.ts';
import { type ResourceQuota, resourcequotas } from './v1.gen.ts';

function defaultQuota(quota: DeepMutable<ResourceQuota>): void {
  for (const list of [quota.spec?.hard, quota.status?.hard, quota.status?.used]) roundResources(list);
}

function usage({ status }: ResourceQuota, side: 'limits' | 'requests'): string {
  return Object.entries(status?.hard ?? {})
    .filter(([name]) => name.startsWith('limits.') === (side === 'limits'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, hard]) =>
        `${name}: ${canonicalQuantity(status?.used?.[name] ?? '0')}/${canonicalQuantity(hard)}`,
    )
    .join(', ');
}

/** Whether more may be requested than the limits allow, which nothing could make use of. */
function quotaWarnings({ spec }: ResourceQuota): string[] {
  const hard = spec?.hard ?? {};
  const names = ['cpu', 'memory', 'storage', 'ephemeral-storage'];
  return ['requests.', ''].flatMap((prefix) =>
    names.flatMap((name) => {
      const request = hard[`${prefix}${name}`];
      const limit = hard[`limits.${name}`];
      if (request === undefined || limit === undefined || compareQuantities(request, limit) <= 0) return [];
      const amounts = [request, limit].map((amount) => canonicalQuantity(amount));
      return [
        `ResourceQuota ${prefix}${name} (${amounts[0]}) should be less than limits.${name} (${amounts[1]})`,
      ];
    }),
  );
}

/** How much of what a namespace may hold. */
export const resourceQuotas: ResourceDefinition<ResourceQuota> = defineResource<ResourceQuota>({
  storage: 'v1',
  versions: {
    v1: { type: resourcequotas, schema: 'io.k8s.api.core.v1.ResourceQuota', defaults: defaultQuota },
  },
  prepareForCreate(quota) {
    quota.status = {};
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? {});
  },
  warnings: quotaWarnings,
  returnsDeleted: true,
  validate: validateResourceQuota,
  validateUpdate: validateResourceQuotaUpdate,
  status: {
    prepare(next, old) {
      next.spec = mutableCopy(old.spec ?? {});
    },
    validate: validateResourceQuotaStatus,
  },
  columns: [
    nameColumn(),
    { name: 'Request', type: 'string', cell: (quota) => usage(quota, 'requests') },
    { name: 'Limit', type: 'string', cell: (quota) => usage(quota, 'limits') },
    ageColumn(),
  ],
});
