import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leases, type Lease } from '../api/coordination/v1.gen.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { Client } from '../client/client.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';
import { lead, type LeadershipEnd } from './leader-election.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const name = 'lock';
const namespace = 'default';

let server: TestServer;
let candidates: TestCandidate[] = [];

beforeEach(async () => {
  server = await startTestServer([]);
  candidates = [];
});
afterEach(async () => {
  for (const { stop } of candidates) stop.abort();
  await step(60);
  await server.stop();
});

interface TestCandidate {
  readonly clock: FakeClock;
  readonly stop: AbortController;
  /** While true, every call of this one fails. */
  cut: boolean;
  leads: boolean;
  end: LeadershipEnd | undefined;
  readonly leaders: string[];
}

function candidate(identity: string, startMs: number = 0): TestCandidate {
  const own: TestCandidate = {
    clock: new FakeClock(Date.UTC(2026, 0, 1) + startMs),
    stop: new AbortController(),
    cut: false,
    leads: false,
    end: undefined,
    leaders: [],
  };
  candidates.push(own);
  void lead(
    {
      client: cuttable(server.client, own),
      clock: own.clock,
      signal: own.stop.signal,
      namespace,
      name,
      identity,
      onLeader: (leader) => own.leaders.push(leader),
    },
    async (signal) => {
      own.leads = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      own.leads = false;
    },
  ).then((end) => (own.end = end));
  return own;
}

function cuttable(client: Client, own: { readonly cut: boolean }): Client {
  return {
    transport: client.transport,
    for<T extends KubeObject>(type: ResourceType<T>) {
      const resource = client.for(type);
      const guard =
        <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
        (...args: A): Promise<R> =>
          own.cut ? Promise.reject(new Error('connect ECONNREFUSED')) : call.apply(resource, args);
      return {
        ...resource,
        type,
        get: guard(resource.get),
        create: guard(resource.create),
        update: guard(resource.update),
      };
    },
  };
}

/** Lets `seconds` pass for every candidate, half a second at a time, and the server answer in between. */
async function step(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 0.5) {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    for (const { clock } of candidates) await clock.advance(500);
    expect(candidates.filter(({ leads }) => leads).length).toBeLessThan(2);
  }
}

function lease(): Promise<Live<Lease>> {
  return server.client.for(leases).get({ namespace, name });
}

describe('leader election', () => {
  it('takes a free lease and keeps it', async () => {
    const a = candidate('a');
    await step(1);
    expect([a.leads, a.leaders, (await lease()).spec]).toEqual([
      true,
      ['a'],
      {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000000Z',
        leaseTransitions: 0,
      },
    ]);
    await step(60);
    expect([a.leads, (await lease()).spec?.acquireTime, (await lease()).spec?.renewTime]).toEqual([
      true,
      '2026-01-01T00:00:00.000000Z',
      '2026-01-01T00:01:00.000000Z',
    ]);
  });

  it('leaves the lease of another alone as long as it is renewed', async () => {
    const a = candidate('a');
    await step(1);
    const b = candidate('b');
    await step(60);
    expect([a.leads, b.leads, b.leaders]).toEqual([true, false, ['a']]);
  });

  it('stops leading when it cannot renew, before another may start', async () => {
    const a = candidate('a');
    await step(1);
    const b = candidate('b');
    await step(4);
    a.cut = true;
    await step(8);
    expect([a.leads, b.leads]).toEqual([true, false]);
    await step(3);
    expect([a.leads, a.end, b.leads]).toEqual([false, 'lost', false]);
    await step(8);
    expect([b.leads, (await lease()).spec?.leaseTransitions]).toEqual([true, 1]);
  });

  it('outlives a failure that ends in time', async () => {
    const a = candidate('a');
    await step(1);
    a.cut = true;
    await step(6);
    a.cut = false;
    await step(30);
    expect([a.leads, a.end]).toEqual([true, undefined]);
  });

  it('hands over when it is told to stop', async () => {
    const a = candidate('a');
    await step(1);
    const b = candidate('b');
    await step(1);
    a.stop.abort();
    await step(3);
    expect([a.leads, a.end, b.leads, b.leaders]).toEqual([false, 'stopped', true, ['a', 'b']]);
  });

  it('trusts no clock but its own', async () => {
    const a = candidate('a');
    await step(1);
    const ahead = candidate('ahead', 3_600_000);
    const behind = candidate('behind', -3_600_000);
    await step(40);
    expect([a.leads, ahead.leads, behind.leads]).toEqual([true, false, false]);
    a.cut = true;
    await step(30);
    expect([a.leads, ahead.leads || behind.leads]).toEqual([false, true]);
  });

  it('takes over from one that died, whatever times that one wrote', async () => {
    await server.client.for(leases).create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name },
      spec: {
        holderIdentity: 'dead',
        leaseDurationSeconds: 15,
        acquireTime: '2030-01-01T00:00:00.000000Z',
        renewTime: '2030-01-01T00:00:00.000000Z',
        leaseTransitions: 7,
      },
    });
    const a = candidate('a');
    await step(14);
    expect(a.leads).toBe(false);
    await step(4);
    expect([a.leads, (await lease()).spec?.leaseTransitions]).toEqual([true, 8]);
  });
});
