import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodes, type NodeStatus } from '../api/core/v1.gen.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { startTestServer, type TestServer } from '../reconcile/test-server.ts';
import { NodeRegistration } from './node-registration.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer([]);
});
afterEach(async () => {
  await server.stop();
});

const amounts = { cpu: '2', memory: '4Gi', pods: '110' };

async function register(): Promise<NodeRegistration> {
  const registration = new NodeRegistration({
    client: server.client,
    clock: new FakeClock(),
    nodeName: 'n',
    labels: {},
    podCIDRs: [],
    status: () => Promise.resolve({ capacity: amounts, allocatable: amounts }),
    signal: new AbortController().signal,
    onError: (error) => {
      throw error;
    },
  });
  await registration.register();
  return registration;
}

async function patchCapacity(capacity: Readonly<Record<string, string | null>>): Promise<void> {
  await server.client
    .for(nodes)
    .patch(
      { name: 'n' },
      { status: { capacity } },
      { type: 'application/strategic-merge-patch+json', subresource: 'status' },
    );
}

async function resources(): Promise<Pick<NodeStatus, 'capacity' | 'allocatable'>> {
  const { capacity = {}, allocatable = {} } =
    (await server.client.for(nodes).get({ name: 'n' })).status ?? {};
  return { capacity, allocatable };
}

describe('NodeRegistration', () => {
  it('lets pods have what somebody says the node has, as long as that is said', async () => {
    const registration = await register();
    await patchCapacity({ 'example.com/fakecpu': '1000', cpu: '64' });
    await registration.refresh();
    const more = { ...amounts, 'example.com/fakecpu': '1k' };
    expect(await resources()).toEqual({ capacity: more, allocatable: more });
    await patchCapacity({ 'example.com/fakecpu': null });
    await registration.refresh();
    expect(await resources()).toEqual({ capacity: amounts, allocatable: amounts });
  });

  it('writes nothing when nothing changed', async () => {
    const registration = await register();
    const before = await server.client.for(nodes).get({ name: 'n' });
    await registration.refresh();
    const after = await server.client.for(nodes).get({ name: 'n' });
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});
