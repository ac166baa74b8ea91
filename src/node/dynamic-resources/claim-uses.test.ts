import { describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../api/core/v1.gen.ts';
import type { LedgerClaim } from './claim-ledger.ts';
import { cdiNames, claimUses } from './claim-uses.ts';

const device = (name: string, ...requests: readonly string[]): LedgerClaim['devices'][string][number] => ({
  request_names: requests,
  pool_name: 'p',
  device_name: name,
  cdi_device_ids: [`v/c=${name}`, 'v/c=all'],
});

const claim: LedgerClaim = {
  namespace: 'n',
  name: 'c',
  uid: 'u',
  pods: ['p'],
  devices: { a: [device('one', 'big'), device('two', 'small')], b: [device('three')] },
};

describe('what a claim gives a container', () => {
  it.each<[string, string | undefined, readonly string[]]>([
    ['gives everything, each device once', undefined, ['v/c=one', 'v/c=all', 'v/c=two', 'v/c=three']],
    ['gives the devices of one request', 'big', ['v/c=one', 'v/c=all', 'v/c=three']],
    ['gives what is of no request to all', 'other', ['v/c=three', 'v/c=all']],
  ])('%s', (_name, request, expected) => {
    expect(cdiNames(claim, request)).toEqual(expected);
  });
});

describe('the claims of a container', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      containers: [],
      resourceClaims: [
        { name: 'own', resourceClaimName: 'mine' },
        { name: 'made', resourceClaimTemplateName: 't' },
        { name: 'none', resourceClaimTemplateName: 't' },
      ],
    },
    status: {
      resourceClaimStatuses: [{ name: 'made', resourceClaimName: 'p-made-x' }, { name: 'none' }],
      extendedResourceClaimStatus: {
        resourceClaimName: 'p-extended',
        requestMappings: [
          { containerName: 'main', resourceName: 'e/gpu', requestName: 'r0' },
          { containerName: 'other', resourceName: 'e/gpu', requestName: 'r1' },
        ],
      },
    },
  };
  const rows: readonly (readonly [string, Container['resources'], readonly string[]])[] = [
    ['are none when it names none', {}, []],
    ['are those it names', { claims: [{ name: 'own' }] }, ['mine']],
    ['may be one request of them', { claims: [{ name: 'made', request: 'r' }] }, ['p-made-x r']],
    ['leave out what was not needed', { claims: [{ name: 'none' }] }, []],
    ['have what was made for its extended resources', { requests: { 'e/gpu': '1' } }, ['p-extended r0']],
  ];
  it.each(rows)('%s', (_name, resources = {}, expected) => {
    const uses = claimUses(pod, { name: 'main', resources });
    const shown = uses.map(({ claimName, request }) => [claimName, request].filter(Boolean).join(' '));
    expect(shown).toEqual(expected);
  });
});
