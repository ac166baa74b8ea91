import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leases } from '../api/coordination/v1.gen.ts';
import { events, nodes, pods, serviceaccounts } from '../api/core/v1.gen.ts';
import { systemClock } from '../base/clock.ts';
import { eventually } from '../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../reconcile/test-server.ts';
import { scheduler } from '../scheduler/scheduler.ts';
import { runComponent } from './run-component.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer([]);
});
afterEach(async () => {
  await server.stop();
});

describe('runComponent', () => {
  it('works while it leads, and gives the lease back when it is told to stop', async () => {
    const { client } = server;
    await client.for(serviceaccounts).create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    });
    const status = { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } };
    const node = await client
      .for(nodes)
      .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec: {} });
    const ready = await client.for(nodes).updateStatus({ ...node, status });
    await client.for(nodes).update({ ...ready, spec: {} });
    await client.for(pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    const stop = new AbortController();
    const said: string[] = [];
    const running = runComponent([scheduler], {
      client,
      clock: systemClock,
      signal: stop.signal,
      leaderElection: { namespace: 'default', name: 'kube-scheduler', component: 'default-scheduler' },
      say: (line) => void said.push(line),
    });
    await eventually(client, pods, (all) => all.every(({ spec }) => spec.nodeName === 'n'));
    const told = await eventually(client, events, (all) =>
      all.some(({ reason }) => reason === 'LeaderElection'),
    );
    const held = await client.for(leases).get({ namespace: 'default', name: 'kube-scheduler' });
    expect(told.find(({ reason }) => reason === 'LeaderElection')).toMatchObject({
      type: 'Normal',
      message: `${held.spec?.holderIdentity} became leader`,
      source: { component: 'default-scheduler' },
      involvedObject: { kind: 'Lease', namespace: 'default', name: 'kube-scheduler', uid: held.metadata.uid },
    });
    stop.abort();
    expect(await running).toBe('stopped');
    const freed = await client.for(leases).get({ namespace: 'default', name: 'kube-scheduler' });
    expect([said, held.spec?.holderIdentity !== '', freed.spec?.holderIdentity ?? '']).toEqual([
      ['this one leads', 'running scheduler'],
      true,
      '',
    ]);
  });
});
