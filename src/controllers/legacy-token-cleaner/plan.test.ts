import { expect, it } from 'vitest';
import type { Pod, Secret, ServiceAccount } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planToken, type TokenObservation } from './plan.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const old = '2024-01-01T00:00:00Z';
const meta = { namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: old };

const secret = (
  labels: Readonly<Record<string, string>> = {},
  more: Partial<Live<Secret>> = {},
): Live<Secret> => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/service-account-token',
  ...more,
  metadata: {
    ...meta,
    name: 't',
    labels,
    annotations: { 'kubernetes.io/service-account.name': 'a' },
    ...more.metadata,
  },
});
const account = (...names: string[]): Live<ServiceAccount> => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { ...meta, name: 'a' },
  secrets: names.map((name) => ({ name })),
});
const pod = (spec: Pod['spec']): Live<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...meta, name: 'p' },
  spec,
});
const used = 'kubernetes.io/legacy-token-last-used';
const invalid = 'kubernetes.io/legacy-token-invalid-since';

it.each<[string, Partial<TokenObservation>, ReturnType<typeof planToken>]>([
  ['never used', {}, 'invalidate'],
  ['used long ago', { secret: secret({ [used]: '2025-05-01' }) }, 'invalidate'],
  ['used this year', { secret: secret({ [used]: '2026-05-01' }) }, 'keep'],
  [
    'made this year',
    { secret: secret({}, { metadata: { ...meta, name: 't', creationTimestamp: '2026-05-01T00:00:00Z' } }) },
    'keep',
  ],
  ['use is tracked only since this year', { trackedSince: '2026-01-01' }, 'keep'],
  ['made by a person', { account: account('other') }, 'keep'],
  ['of an account that is gone', { account: undefined }, 'keep'],
  ['of another type', { secret: secret({}, { type: 'Opaque' }) }, 'keep'],
  [
    'mounted',
    { pods: [pod({ containers: [], volumes: [{ name: 'v', secret: { secretName: 't' } }] })] },
    'keep',
  ],
  [
    'projected',
    {
      pods: [
        pod({
          containers: [],
          volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 't' } }] } }],
        }),
      ],
    },
    'keep',
  ],
  ['invalid for some months', { secret: secret({ [invalid]: '2026-01-01' }) }, 'keep'],
  ['invalid for a year', { secret: secret({ [invalid]: '2025-05-01' }) }, 'delete'],
  ['invalid since nonsense', { secret: secret({ [invalid]: 'x' }) }, 'invalidate'],
  ['used again', { secret: secret({ [invalid]: '2025-05-01', [used]: '2026-05-01' }) }, 'keep'],
])('a token that is %s', (_, observation, expected) => {
  const plan = planToken({
    secret: secret(),
    account: account('t'),
    pods: [],
    trackedSince: '2024-01-01',
    now,
    ...observation,
  });
  expect(plan).toBe(expected);
});
