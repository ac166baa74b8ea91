import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodDisruptionBudgetStatus } from '../api/policy/v1.gen.ts';
import { systemClock } from '../base/clock.ts';
import type { StatusError } from '../machinery/status-error.ts';
import type { Transport } from '../machinery/transport.ts';
import { createMemoryStore } from '../storage/memory/memory-store.ts';
import type { ApiServer } from './api-server.ts';
import { createTestApiServer } from './test-api-server.ts';

const pods = { group: '', version: 'v1', resource: 'pods', namespace: 'default' } as const;
const budgets = {
  group: 'policy',
  version: 'v1',
  resource: 'poddisruptionbudgets',
  namespace: 'default',
} as const;

let server: ApiServer;
let admin: Transport;
const store = createMemoryStore({ clock: systemClock });

beforeAll(async () => {
  server = await createTestApiServer({ store });
  admin = server.transport({ name: 'admin', groups: ['system:masters', 'system:authenticated'] });
  await admin.request({
    verb: 'create',
    group: '',
    version: 'v1',
    resource: 'serviceaccounts',
    namespace: 'default',
    body: { metadata: { name: 'default' } },
  });
});
afterAll(async () => {
  await server.close();
  await store.close();
});

interface Case {
  readonly ready?: boolean;
  readonly phase?: string;
  readonly policy?: 'AlwaysAllow';
  readonly status?: Partial<PodDisruptionBudgetStatus>;
  readonly budgets?: number;
}

/** A running pod on a node under budgets of that status. */
async function prepare(name: string, { ready = true, phase = 'Running', ...facts }: Case): Promise<void> {
  const labels = { app: name };
  await admin.request({
    verb: 'create',
    ...pods,
    body: {
      metadata: { name, labels },
      spec: { nodeName: 'n', terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'x' }] },
    },
  });
  const condition = { type: 'Ready', status: ready ? 'True' : 'False' };
  await admin.request({
    verb: 'patch',
    ...pods,
    name,
    subresource: 'status',
    patchType: 'application/merge-patch+json',
    body: { status: { phase, conditions: [condition] } },
  });
  for (let index = 0; index < (facts.budgets ?? 1); index += 1) {
    const budget = index === 0 ? name : `${name}-${index}`;
    await admin.request({
      verb: 'create',
      ...budgets,
      body: {
        metadata: { name: budget },
        spec: {
          minAvailable: 1,
          selector: { matchLabels: labels },
          ...(facts.policy && { unhealthyPodEvictionPolicy: facts.policy }),
        },
      },
    });
    await admin.request({
      verb: 'patch',
      ...budgets,
      name: budget,
      subresource: 'status',
      patchType: 'application/merge-patch+json',
      body: { status: { observedGeneration: 1, ...facts.status } },
    });
  }
}

async function evict(name: string, deleteOptions?: object): Promise<string> {
  try {
    const answer = await admin.request({
      verb: 'create',
      ...pods,
      name,
      subresource: 'eviction',
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name },
        ...(deleteOptions && { deleteOptions }),
      },
    });
    return (answer as { readonly status: string }).status;
  } catch (error) {
    const { code, details, message } = (error as StatusError).status;
    return `${code} ${details?.causes?.[0]?.message ?? message}`;
  }
}

const none = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 };

describe('an eviction', () => {
  it.each<[string, Case, string]>([
    ['free', { budgets: 0 }, 'Success'],
    ['allowed', { status: { disruptionsAllowed: 1 } }, 'Success'],
    ['pending', { phase: 'Pending', status: none }, 'Success'],
    ['failed', { phase: 'Failed', status: none }, 'Success'],
    ['unready', { ready: false, status: none }, 'Success'],
    [
      'unready-below',
      { ready: false, status: { ...none, currentHealthy: 0 } },
      '429 The disruption budget unready-below needs 1 healthy pods and has 0 currently',
    ],
    [
      'unready-always',
      { ready: false, policy: 'AlwaysAllow', status: { ...none, currentHealthy: 0 } },
      'Success',
    ],
    ['last', { status: none }, '429 The disruption budget last needs 1 healthy pods and has 1 currently'],
    [
      'stale',
      { status: { observedGeneration: 0, disruptionsAllowed: 1 } },
      '429 The disruption budget stale is still being processed by the server.',
    ],
    [
      'failing',
      {
        status: {
          ...none,
          conditions: [
            {
              type: 'DisruptionAllowed',
              status: 'False',
              reason: 'SyncFailed',
              message: 'no scale',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
        },
      },
      '429 The disruption budget failing does not allow evicting pods currently because it failed sync: no scale',
    ],
    [
      'two',
      { budgets: 2, status: { disruptionsAllowed: 1 } },
      '500 This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    ],
  ])('of the pod %s', async (name, facts, expected) => {
    await prepare(name, facts);
    expect(await evict(name)).toBe(expected);
  });

  it('is charged to the budget, which says so', async () => {
    await prepare('charged', { status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1 } });
    expect(await evict('charged', { dryRun: ['All'] })).toBe('Success');
    expect(await evict('charged')).toBe('Success');
    const budget = await admin.request({ verb: 'get', ...budgets, name: 'charged' });
    expect(budget).toMatchObject({
      status: {
        disruptionsAllowed: 0,
        disruptedPods: { charged: expect.any(String) as string },
        conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
      },
    });
  });
});
