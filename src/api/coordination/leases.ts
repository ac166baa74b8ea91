import { type FieldError, invalid } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type Lease, leases as leaseType } from './v1.gen.ts';

/** Locks with a holder and a time: leader election, heartbeats of nodes. */
export const leases: ResourceDefinition<Lease> = defineResource<Lease>({
  storage: 'v1',
  versions: { v1: { type: leaseType, schema: 'io.k8s.api.coordination.v1.Lease' } },
  createOnUpdate: true,
  unconditionalUpdate: false,
  prepareForCreate: dropCoordinated,
  prepareForUpdate: dropCoordinated,
  validate,
  validateUpdate: (next) => validate(next),
  columns: [
    nameColumn(),
    { name: 'Holder', type: 'string', cell: ({ spec }) => spec?.holderIdentity ?? '' },
    ageColumn(),
  ],
});

/** Coordinated leader election is not offered; its fields vanish as upstream's do behind a closed gate. */
function dropCoordinated({ spec }: DeepMutable<Lease>): void {
  delete spec?.strategy;
  delete spec?.preferredHolder;
}

function validate({ spec }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  const { leaseDurationSeconds = 1, leaseTransitions = 0 } = spec ?? {};
  if (leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  if (leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  }
  return errors;
}
