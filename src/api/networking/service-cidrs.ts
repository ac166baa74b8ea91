import { timestamp } from '../../base/clock.ts';
import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { parseCidr, validateCanonicalCidr } from '../validation/cidr.ts';
import { type ServiceCIDR, servicecidrs } from './v1.gen.ts';

const field = 'spec.cidrs';

/** Ranges that services get their addresses from: one, or one of each family. */
export const serviceCidrs: ResourceDefinition<ServiceCIDR> = defineResource<ServiceCIDR>({
  storage: 'v1',
  versions: { v1: { type: servicecidrs, schema: 'io.k8s.api.networking.v1.ServiceCIDR' } },
  prepareForCreate(range) {
    range.status = {};
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? {});
  },
  validate: ({ spec }) => validateRanges(spec?.cidrs ?? []),
  validateUpdate: (next, old) => validateChange(next.spec?.cidrs ?? [], old.spec?.cidrs ?? []),
  status: {
    prepare(next, old) {
      next.spec = mutableCopy(old.spec);
    },
  },
  columns: [
    nameColumn(),
    { name: 'CIDRs', type: 'string', cell: ({ spec }) => (spec?.cidrs ?? []).join(',') },
    ageColumn(),
  ],
});

/** The ranges that a cluster starts with (`10.96.0.0/16,fd00:10:96::/112`), which upstream's API server makes by itself. */
export function defaultServiceCidr(ranges: string, now: number): ServiceCIDR {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ranges.split(',') },
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          lastTransitionTime: timestamp(now),
          reason: '',
          message: 'Kubernetes default Service CIDR is ready',
        },
      ],
    },
  };
}

function validateRanges(ranges: readonly string[]): FieldError[] {
  if (ranges.length === 0) return [required(field, 'at least one CIDR required')];
  if (ranges.length > 2) return [invalid(field, { CIDRs: ranges }, 'may only hold up to 2 values')];
  const errors = ranges.flatMap((range, index) => validateCanonicalCidr(range, `${field}[${index}]`));
  const [first, second] = ranges.map((range) => parseCidr(range)?.family);
  if (ranges.length === 2 && first !== undefined && first === second) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(invalid(field, ranges, detail));
  }
  return errors;
}

function validateChange(next: readonly string[], old: readonly string[]): FieldError[] {
  const immutable = (index: number): FieldError[] =>
    next[index] === old[index] ? [] : [invalid(`${field}[${index}]`, next[index], 'field is immutable')];
  if (next.length === old.length) return old.flatMap((_range, index) => immutable(index));
  if (old.length === 1 && next.length === 2) return [...immutable(0), ...validateRanges(next)];
  return [invalid(field, next, 'field is immutable')];
}
