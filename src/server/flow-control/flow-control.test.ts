import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { allocateSeats } from './concurrency-allocation.ts';
import { matchesFlowSchema } from './match-flow-schema.ts';
import { bootstrapFlowSchemas } from '../../api/flowcontrol/bootstrap-configuration.ts';
import { PriorityLevel } from './priority-level.ts';
import { dealHand, flowHash } from './shuffle-shard.ts';
import { estimateWork } from './work-estimate.ts';
import { requestInfo } from '../http/request-info.ts';

const one = { seats: 1 };

function level(queueLengthLimit: number, queues: number = 1): PriorityLevel {
  const limitResponse =
    queueLengthLimit === 0
      ? { type: 'Reject' }
      : { type: 'Queue', queuing: { queues, handSize: 1, queueLengthLimit } };
  const made = new PriorityLevel('test', {
    clock: new FakeClock(),
    uid: 'u',
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse } },
  });
  made.resize(2);
  return made;
}

const flow = (distinguisher: string): { schema: string; distinguisher: string } => ({
  schema: 's',
  distinguisher,
});

describe('PriorityLevel', () => {
  it('refuses what exceeds its seats when it has no queues', () => {
    const rejecting = level(0);
    void rejecting.enter(flow('a'), one, undefined);
    void rejecting.enter(flow('a'), one, undefined);
    expect(() => rejecting.enter(flow('a'), one, undefined)).toThrow('too many requests');
  });

  it('lets requests wait, starts them as seats come free, and refuses what a queue cannot hold', async () => {
    const queuing = level(2);
    const first = queuing.enter(flow('a'), one, undefined);
    void queuing.enter(flow('a'), one, undefined);
    const third = queuing.enter(flow('a'), one, undefined);
    const fourth = queuing.enter(flow('a'), one, undefined);
    expect(() => queuing.enter(flow('a'), one, undefined)).toThrow('too many requests');
    expect([first instanceof Promise, third instanceof Promise, queuing.waiting]).toEqual([false, true, 2]);
    (await first).release();
    (await first).release();
    (await third).release();
    await fourth;
    expect([queuing.seatsInUse, queuing.waiting]).toEqual([2, 0]);
  });

  it('serves a quiet flow before the backlog of a busy one', async () => {
    const fair = level(50, 64);
    const running = [fair.enter(flow('busy'), one, undefined), fair.enter(flow('busy'), one, undefined)];
    const order: string[] = [];
    for (let index = 0; index < 5; index++)
      void Promise.resolve(fair.enter(flow('busy'), one, undefined)).then(() => order.push('busy'));
    void Promise.resolve(fair.enter(flow('quiet'), one, undefined)).then((seats) => {
      order.push('quiet');
      seats.release();
    });
    for (const seats of running) (await seats).release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(order.indexOf('quiet')).toBeLessThan(2);
  });

  it('forgets a request whose client has gone', async () => {
    const queuing = level(2);
    void queuing.enter(flow('a'), { seats: 2 }, undefined);
    const gone = new AbortController();
    const waiting = queuing.enter(flow('a'), one, () => gone.signal);
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ cause: 'cancelled' });
    expect(queuing.waiting).toBe(0);
  });

  it('runs a request that needs more than all seats alone', () => {
    const small = level(2);
    expect(small.enter(flow('a'), { seats: 10 }, undefined)).not.toBeInstanceOf(Promise);
    expect(small.enter(flow('b'), one, undefined)).toBeInstanceOf(Promise);
  });
});

it('deals different cards, the same for one flow', () => {
  const hand = dealHand(flowHash('s', 'user'), 128, 6);
  expect(new Set(hand).size).toBe(6);
  expect(hand.every((card) => card >= 0 && card < 128)).toBe(true);
  expect(dealHand(flowHash('s', 'user'), 128, 6)).toEqual(hand);
  expect(dealHand(flowHash('s', 'user'), 4, 4).toSorted()).toEqual([0, 1, 2, 3]);
});

it('divides seats by need within bounds', () => {
  const claims = [
    { lower: 10, upper: 100, target: 80 },
    { lower: 10, upper: 100, target: 10 },
    { lower: 5, upper: 5, target: 50 },
  ];
  expect(allocateSeats(100, claims).seats).toEqual([84, 11, 5]);
});

it.each<[string, string, number]>([
  ['/api/v1/namespaces/a/pods', '', 10],
  ['/api/v1/namespaces/a/pods', 'limit=250', 3],
  ['/api/v1/namespaces/a/pods/x', '', 1],
  ['/api/v1/pods', 'watch=1&sendInitialEvents=true', 10],
  ['/api/v1/pods', 'watch=1', 1],
])('takes %s?%s for the work of %i seats', (path, query, seats) => {
  const parameters = new URLSearchParams(query);
  const info = requestInfo('GET', path, parameters);
  expect(estimateWork(info, parameters, { objects: 1234, watchers: 0 })).toEqual({ seats });
});

describe('the flow schemas of a new cluster', () => {
  const schemas = bootstrapFlowSchemas('').toSorted(
    (a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence,
  );
  it.each<[string, string, string, string]>([
    ['kubernetes-admin', 'system:masters', '/api/v1/pods', 'exempt'],
    ['system:anonymous', 'system:unauthenticated', '/healthz', 'probes'],
    ['system:node:n', 'system:nodes', '/api/v1/nodes/n', 'system-node-high'],
    ['system:node:n', 'system:nodes', '/api/v1/pods', 'system-nodes'],
    [
      'system:serviceaccount:kube-system:x',
      'system:authenticated',
      '/api/v1/pods',
      'kube-system-service-accounts',
    ],
    ['system:serviceaccount:a:x', 'system:serviceaccounts', '/api/v1/pods', 'service-accounts'],
    ['jane', 'system:authenticated', '/api/v1/pods', 'global-default'],
  ])('%s of %s at %s belongs to %s', (name, group, path, schema) => {
    const info = requestInfo('GET', path, new URLSearchParams());
    const found = schemas.find((one) => matchesFlowSchema(one, { user: { name, groups: [group] }, info }));
    expect(found?.metadata.name).toBe(schema);
  });
});
