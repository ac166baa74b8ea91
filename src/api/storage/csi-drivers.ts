import { type FieldError, duplicate, invalid, notSupported, required } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { validateDriverName } from '../core/pod-spec/driver-name.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type CSIDriver, type CSIDriverSpec, type TokenRequest, csidrivers } from './v1.gen.ts';

const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const lifecycleModes = ['Persistent', 'Ephemeral'];
const MIN_TOKEN_SECONDS = 600;
const MIN_UPDATE_PERIOD = 10;

/** Storage drivers and what they can do. */
export const csiDrivers: ResourceDefinition<CSIDriver> = defineResource<CSIDriver>({
  storage: 'v1',
  versions: { v1: { type: csidrivers, schema: 'io.k8s.api.storage.v1.CSIDriver', defaults } },
  unconditionalUpdate: false,
  returnsDeleted: true,
  // A new driver has no generation; the first change of its spec makes it 1.
  prepareForCreate: ({ spec }) => dropDisabled(spec),
  prepareForUpdate(next, old) {
    dropDisabled(next.spec);
    if (!jsonEqual(next.spec, old.spec)) next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
  validate: validateDriver,
  warnings: ({ spec }) =>
    spec.tokenRequests?.length && spec.serviceAccountTokenInSecrets === undefined
      ? [
          'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
        ]
      : [],
  validateUpdate: (next, old) => [
    ...validateDriver(next),
    ...unchanged(next.spec.attachRequired, old.spec.attachRequired, 'spec.attachedRequired'),
    ...unchanged(next.spec.volumeLifecycleModes, old.spec.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
  ],
  columns: [
    nameColumn(),
    { name: 'AttachRequired', type: 'boolean', cell: ({ spec }) => spec.attachRequired ?? true },
    { name: 'PodInfoOnMount', type: 'boolean', cell: ({ spec }) => spec.podInfoOnMount ?? false },
    { name: 'StorageCapacity', type: 'boolean', cell: ({ spec }) => spec.storageCapacity ?? false },
    {
      name: 'TokenRequests',
      type: 'string',
      cell: ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(',') || '<unset>',
    },
    { name: 'RequiresRepublish', type: 'boolean', cell: ({ spec }) => spec.requiresRepublish ?? false },
    {
      name: 'Modes',
      type: 'string',
      cell: ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    },
    ageColumn(),
  ],
});

function defaults(driver: DeepMutable<CSIDriver>): void {
  driver.spec ??= {};
  const { spec } = driver;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

/** Drops what only a feature gate that is off by default upstream would keep. */
function dropDisabled(spec: DeepMutable<CSIDriverSpec>): void {
  delete spec.preventPodSchedulingIfMissing;
}

function unchanged(next: unknown, old: unknown, field: string): FieldError[] {
  return jsonEqual(next, old) ? [] : [invalid(field, next, 'field is immutable')];
}

function validateDriver({ metadata, spec }: CSIDriver): FieldError[] {
  const errors = validateDriverName(metadata.name ?? '', 'metadata.name').filter(
    ({ reason }) => reason === 'FieldValueTooLong',
  );
  for (const name of ['attachRequired', 'podInfoOnMount', 'storageCapacity'] as const) {
    if (spec[name] === undefined) errors.push(required(`spec.${name}`));
  }
  const { fsGroupPolicy } = spec;
  if (fsGroupPolicy === undefined) errors.push(required('spec.fsGroupPolicy'));
  else if (!groupPolicies.includes(fsGroupPolicy)) {
    errors.push(notSupported('spec.fsGroupPolicy', fsGroupPolicy, groupPolicies));
  }
  return [...errors, ...validateTokenRequests(spec.tokenRequests ?? []), ...validateRest(spec)];
}

function validateRest(spec: CSIDriverSpec): FieldError[] {
  const errors = (spec.volumeLifecycleModes ?? [])
    .filter((mode) => !lifecycleModes.includes(mode))
    .map((mode) => notSupported('spec.volumeLifecycleModes', mode, lifecycleModes));
  if (spec.seLinuxMount === undefined) errors.push(required('spec.seLinuxMount'));
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < MIN_UPDATE_PERIOD) {
    const detail = `must be greater than or equal to ${MIN_UPDATE_PERIOD} seconds`;
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail));
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && !spec.tokenRequests?.length) {
    const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    errors.push(invalid('spec.serviceAccountTokenInSecrets', spec.serviceAccountTokenInSecrets, detail));
  }
  return errors;
}

function validateTokenRequests(requests: readonly TokenRequest[]): FieldError[] {
  const audiences = new Set<string>();
  return requests.flatMap(({ audience, expirationSeconds }, index) => {
    const path = `spec.tokenRequests[${index}]`;
    if (audiences.has(audience)) return [duplicate(`${path}.audience`, audience)];
    audiences.add(audience);
    if (expirationSeconds === undefined) return [];
    const field = `${path}.expirationSeconds`;
    if (expirationSeconds < MIN_TOKEN_SECONDS) {
      return [invalid(field, expirationSeconds, 'may not specify a duration less than 10 minutes')];
    }
    return expirationSeconds > 2 ** 32
      ? [invalid(field, expirationSeconds, 'may not specify a duration larger than 2^32 seconds')]
      : [];
  });
}
