import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { ResourceClaim } from '../../api/resource/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { rpcNamespace } from '../plugins/rpc-schema.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { draServices } from './dra-protocol.ts';
import { createPodClaims, type PodClaims } from './pod-claims.ts';

let directory: string;
let api: FakeApi;
let server: Server;
let calls: string[];
let answer: (uid: string) => object;
const opened: PodClaims[] = [];

interface Asked {
  readonly request: { readonly claims: readonly { readonly name: string; readonly uid: string }[] };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pod-claims-'));
  api = new FakeApi();
  calls = [];
  answer = (uid) => ({ devices: [{ pool_name: 'p', device_name: 'd', cdi_device_ids: [`v/c=${uid}`] }] });
  server = new Server();
  const service = draServices.get('v1.DRAPlugin');
  if (!service) throw new Error('the service is missing');
  const definition = fromJSON(rpcNamespace(service), { keepCase: true, defaults: true })[service.name];
  const act =
    (method: string, one: (uid: string) => object) =>
    ({ request: { claims } }: Asked, done: (error: null, value: object) => void): void => {
      calls.push(`${method} ${claims.map(({ name }) => name).join()}`);
      done(null, { claims: Object.fromEntries(claims.map(({ uid }) => [uid, one(uid)])) });
    };
  server.addService(definition as Parameters<typeof server.addService>[0], {
    NodePrepareResources: act('prepare', (uid) => answer(uid)),
    NodeUnprepareResources: act('unprepare', () => ({})),
  });
  await mkdir(join(directory, 'plugins'));
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${join(directory, 'dra.sock')}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
});
afterEach(async () => {
  for (const claims of opened.splice(0)) claims.close();
  server.forceShutdown();
  await rm(directory, { recursive: true, force: true });
});

/** An agent's view, which knows what earlier ones have left. */
async function agent(): Promise<PodClaims> {
  const claims = createPodClaims({
    client: api.client,
    clock: systemClock,
    nodeName: 'n',
    directory,
    onDriver: () => undefined,
    onHealth: () => undefined,
    onError: (error) => void calls.push(String(error)),
  });
  opened.push(claims);
  await claims.recover();
  return claims;
}

const register = (claims: PodClaims): Promise<unknown> =>
  claims.drivers.register({
    type: 'DRAPlugin',
    name: 'd.example',
    endpoint: join(directory, 'dra.sock'),
    supported_versions: ['v1.DRAPlugin'],
  });

function claim(name: string, ...pods: readonly string[]): void {
  const object: ResourceClaim = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name, namespace: 'ns' },
    spec: { devices: { requests: [] } },
    status: {
      allocation: { devices: { results: [{ request: 'r', driver: 'd.example', pool: 'p', device: 'd' }] } },
      reservedFor: pods.map((pod) => ({ resource: 'pods', name: pod, uid: `uid-${pod}` })),
    },
  };
  api.put('resourceclaims', object);
}

const pod = (name: string, ...claims: readonly string[]): Live<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'ns',
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {
    containers: [],
    resourceClaims: claims.map((resourceClaimName) => ({ name: resourceClaimName, resourceClaimName })),
  },
});
const using = (...claims: readonly string[]): { readonly name: string; readonly resources: object } => ({
  name: 'main',
  resources: { claims: claims.map((name) => ({ name })) },
});

it('prepares a claim once for the pods that share it, and takes it back after the last', async () => {
  const claims = await agent();
  await register(claims);
  claim('shared', 'a', 'b');
  claim('own', 'a');
  await claims.prepare(pod('a', 'own'));
  await Promise.all([claims.prepare(pod('a', 'shared', 'own')), claims.prepare(pod('b', 'shared'))]);
  expect(claims.cdiDevices(pod('b', 'shared'), using('shared'))).toEqual(['v/c=uid-shared']);
  await claims.unprepare('uid-a');
  expect([claims.holds('uid-a'), claims.holds('uid-b')]).toEqual([false, true]);
  await claims.unprepare('uid-b');
  expect(calls).toEqual(['prepare own', 'prepare shared', 'unprepare own', 'unprepare shared']);
});

it('prepares again what an earlier agent had prepared, and takes back what belongs to no pod', async () => {
  const first = await agent();
  await register(first);
  claim('shared', 'a', 'b');
  claim('lost', 'c');
  await first.prepare(pod('a', 'shared'));
  await first.prepare(pod('c', 'lost'));
  const second = await agent();
  await register(second);
  expect(second.cdiDevices(pod('a', 'shared'), using('shared'))).toEqual(['v/c=uid-shared']);
  await second.prepare(pod('b', 'shared'));
  await second.reconcile(new Set(['uid-a', 'uid-b']));
  expect(calls).toEqual(['prepare shared', 'prepare lost', 'prepare shared', 'unprepare lost']);
  expect(await readFile(join(directory, 'dra_manager_state'), 'utf8')).not.toContain('lost');
});

it.each<[string, () => Promise<void>, string]>([
  ['the driver is missing', async () => claim('c', 'a'), 'DRA driver d.example is not registered'],
  [
    'the pod may not use the claim',
    async () => claim('c', 'other'),
    'pod a (uid-a) is not allowed to use ResourceClaim c (uid-c)',
  ],
  ['there is no such claim', async () => undefined, 'fetch ResourceClaim c: resourceclaims "c" not found'],
])('says that %s, and remembers nothing', async (_name, arrange, message) => {
  const claims = await agent();
  await arrange();
  await expect(claims.prepare(pod('a', 'c'))).rejects.toThrow(message);
  expect(claims.holds('uid-a')).toBe(false);
});

it('says what the driver says', async () => {
  const claims = await agent();
  await register(claims);
  claim('c', 'a');
  answer = () => ({ error: 'no power' });
  await expect(claims.prepare(pod('a', 'c'))).rejects.toThrow(
    'NodePrepareResources failed for ResourceClaim c: no power',
  );
  await claims.unprepare('uid-a');
  expect(calls).toEqual(['prepare c', 'unprepare c']);
});

it('takes no driver that speaks another version', async () => {
  const claims = await agent();
  const plugin = { type: 'DRAPlugin', name: 'x', endpoint: '/x', supported_versions: ['v9.DRAPlugin'] };
  await expect(claims.drivers.register(plugin)).rejects.toThrow(
    'none of services supported by the plugin (["v9.DRAPlugin"]) are supported by the kubelet (["v1.DRAPlugin" "v1beta1.DRAPlugin"])',
  );
});
