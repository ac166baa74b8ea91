import { type FieldError, invalid } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { internalClaim } from './internal-claims.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateClaimStatus } from './claim-status-validation.ts';
import { validateClaimSpec } from './device-claim-validation.ts';
import { defaultTolerations } from './device-toleration.ts';
import {
  type DeviceRequestAllocationResult,
  type ExactDeviceRequest,
  type ResourceClaim,
  type ResourceClaimSpec,
  resourceclaims,
} from './v1.gen.ts';

/** Requests for devices. What is asked for never changes. */
export const resourceClaims: ResourceDefinition<ResourceClaim> = defineResource<ResourceClaim>({
  storage: 'v1',
  versions: { v1: { type: resourceclaims, schema: 'io.k8s.api.resource.v1.ResourceClaim', defaults } },
  prepareForCreate(claim) {
    claim.status = {};
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? {});
  },
  returnsDeleted: true,
  validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
  validateUpdate: (next, old) => unchangedSpec(next.spec, old.spec, 'ResourceClaimSpec'),
  status: {
    prepare(next, old) {
      const { resourceVersion, uid, managedFields } = next.metadata;
      next.metadata = {
        ...mutableCopy(old.metadata),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(uid === undefined ? {} : { uid }),
        ...(managedFields === undefined ? {} : { managedFields }),
      };
      next.spec = mutableCopy(old.spec);
      dropDeallocated(next, old);
    },
    validate: validateClaimStatus,
  },
  columns: [nameColumn(), { name: 'State', type: 'string', cell: printState }, ageColumn()],
});

/** What claims ask for is fixed, also in templates. */
export function unchangedSpec(
  next: object,
  old: object,
  type: 'ResourceClaimSpec' | 'ResourceClaimTemplateSpec',
): FieldError[] {
  return jsonEqual(next, old) ? [] : [invalid('spec', internalClaim(type, next), 'field is immutable')];
}

/** Sets the defaults of a claim, stand-alone or in a template. */
export function defaultClaimSpec({ devices }: DeepMutable<ResourceClaimSpec>): void {
  for (const { exactly, firstAvailable } of devices?.requests ?? []) {
    for (const request of [...(exactly ? [exactly] : []), ...(firstAvailable ?? [])]) defaultRequest(request);
  }
}

function defaultRequest(request: DeepMutable<Omit<ExactDeviceRequest, 'adminAccess'>>): void {
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
  defaultTolerations(request.tolerations);
}

function defaults(claim: DeepMutable<ResourceClaim>): void {
  claim.spec ??= { devices: { requests: [] } };
  defaultClaimSpec(claim.spec);
  for (const result of claim.status?.allocation?.devices?.results ?? []) {
    defaultTolerations(result.tolerations);
  }
}

function identity({
  driver,
  pool,
  device,
}: Pick<DeviceRequestAllocationResult, 'driver' | 'pool' | 'device'>): string {
  return `${driver}/${pool}/${device}`;
}

/** What drivers reported about devices that the claim no longer has goes with them. */
function dropDeallocated(next: DeepMutable<ResourceClaim>, old: ResourceClaim): void {
  const { status } = next;
  if (!status?.devices) return;
  const kept = new Set((status.allocation?.devices?.results ?? []).map(identity));
  const gone = new Set(
    (old.status?.allocation?.devices?.results ?? []).map(identity).filter((device) => !kept.has(device)),
  );
  const devices = status.devices.filter((device) => !gone.has(identity(device)));
  if (devices.length > 0) status.devices = devices;
  else delete status.devices;
}

function printState({ metadata, status }: ResourceClaim): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp) states.push('deleted');
  if (!status?.allocation) {
    if (!metadata.deletionTimestamp) states.push('pending');
  } else {
    states.push('allocated');
    if (status.reservedFor?.length) states.push('reserved');
  }
  return states.join(',');
}
