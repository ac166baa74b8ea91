import { afterEach, describe, expect, it } from 'vitest';
import { events, nodes, pods, serviceaccounts, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { taintEvictionController } from '../taint-eviction/controller.ts';
import { defaultNodeLifecycleSettings, nodeLifecycleController } from './controller.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
});

const node = (name: string, ready: 'True' | 'False', zone: string = 'a'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
  spec: {},
  status: { conditions: [{ type: 'Ready', status: ready }] },
});

const isEmptied = ({ spec }: Live<Node>): boolean =>
  spec.taints?.some(({ effect }) => effect === 'NoExecute') === true;
const namesOf = (list: readonly Live<Node>[]): string[] => list.map(({ metadata }) => metadata.name).sort();

async function setReady(name: string, status: 'True' | 'False'): Promise<void> {
  const patch = { status: { conditions: [{ type: 'Ready', status }] } };
  await running()
    .client.for(nodes)
    .patch({ name }, patch, { type: 'application/strategic-merge-patch+json', subresource: 'status' });
}

describe('the node lifecycle controller', () => {
  it('marks a silent node and its pods, then empties it', async () => {
    const settings = { ...defaultNodeLifecycleSettings, graceMs: 600 };
    server = await startTestServer([
      nodeLifecycleController(settings),
      taintEvictionController,
      serviceAccountController,
    ]);
    const { client } = server;
    await client.for(nodes).create(node('silent', 'True'));
    await client.for(nodes).create(node('down', 'True', 'b'));
    const pod = await createPod('p', 'silent');
    const conditions = [{ type: 'Ready', status: 'True' }];
    await client.for(pods).updateStatus({ ...pod, status: { phase: 'Running', conditions } });
    const beating = setInterval(() => void beat('down'), 50);
    try {
      const [marked] = await eventually(client, nodes, ([one]) => one !== undefined && isEmptied(one), {
        fieldSelector: 'metadata.name=silent',
      });
      const [evicted] = await eventually(
        client,
        pods,
        ([one]) => one?.metadata.deletionTimestamp !== undefined,
      );
      const told = await eventually(client, events, (list) =>
        list.some(({ reason }) => reason === 'TaintManagerEviction'),
      );
      const condition = (type: string): string | undefined =>
        evicted?.status?.conditions?.find((one) => one.type === type)?.status;
      expect([
        marked?.status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
        condition('Ready'),
        condition('DisruptionTarget'),
        told
          .map(({ reason, message }) => `${reason} ${message}`)
          .filter((text) => !text.includes('down'))
          .sort(),
      ]).toEqual([
        [
          'Ready Unknown NodeStatusUnknown',
          'MemoryPressure Unknown NodeStatusNeverUpdated',
          'DiskPressure Unknown NodeStatusNeverUpdated',
          'PIDPressure Unknown NodeStatusNeverUpdated',
        ],
        'False',
        'True',
        [
          'NodeNotReady Node is not ready',
          'NodeNotReady Node silent status is now: NodeNotReady',
          'RegisteredNode Node silent event: Registered Node silent in Controller',
          'TaintManagerEviction Marking for deletion Pod default/p',
        ],
      ]);
    } finally {
      clearInterval(beating);
    }
  });

  it('empties one node after the other, and none when all are down', async () => {
    const settings = { ...defaultNodeLifecycleSettings, evictionRate: 4 };
    server = await startTestServer([nodeLifecycleController(settings)]);
    const { client } = server;
    for (const name of ['up1', 'up2', 'up3']) await client.for(nodes).create(node(name, 'True'));
    for (const name of ['x', 'y']) await client.for(nodes).create(node(name, 'False'));
    const first = await eventually(client, nodes, (list) => list.some(isEmptied));
    expect(first.filter(isEmptied)).toHaveLength(1);
    const both = await eventually(client, nodes, (list) => list.filter(isEmptied).length === 2);
    for (const name of ['up1', 'up2', 'up3']) await setReady(name, 'False');
    const none = await eventually(client, nodes, (list) => !list.some(isEmptied));
    await setReady('up1', 'True');
    const again = await eventually(client, nodes, (list) => namesOf(list.filter(isEmptied)).length === 0);
    expect([namesOf(both.filter(isEmptied)), none.length, again.length]).toEqual([['x', 'y'], 5, 5]);
  });
});

async function createPod(name: string, nodeName: string): Promise<Live<Pod>> {
  const { client } = running();
  await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace: 'default' });
  const key = 'node.kubernetes.io/unreachable';
  return client.for(pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name },
    spec: {
      nodeName,
      containers: [{ name: 'c', image: 'i' }],
      tolerations: [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 }],
    },
  });
}

function running(): TestServer {
  if (!server) throw new Error('no server was started');
  return server;
}

async function beat(name: string): Promise<void> {
  const patch = {
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: new Date().toISOString() }] },
  };
  await running()
    .client.for(nodes)
    .patch({ name }, patch, { type: 'application/strategic-merge-patch+json', subresource: 'status' });
}
