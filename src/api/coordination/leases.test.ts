import { describe, expect, it } from 'vitest';
import { leases } from './leases.ts';
import type { LeaseSpec } from './v1.gen.ts';

describe('leases', () => {
  it.each<[LeaseSpec, string[]]>([
    [{}, []],
    [{ holderIdentity: 'me', leaseDurationSeconds: 15, leaseTransitions: 0 }, []],
    [
      { leaseDurationSeconds: 0, leaseTransitions: -1 },
      [
        'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
        'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
  ])('validate %j', (spec, errors) => {
    const found = leases.validate?.({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {},
      spec,
    });
    expect(found?.map(({ field, message }) => `${field}: ${message}`)).toEqual(errors);
  });
});
