import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinResources } from '../api/catalog.ts';
import { systemClock } from '../base/clock.ts';
import { kubernetesSchema } from '../machinery/schema/table.ts';
import type { Transport } from '../machinery/transport.ts';
import { createApiServer, type ApiServer } from '../server/api-server.ts';
import type { Store } from '../storage/kv.ts';
import { createMemoryStore } from '../storage/memory/memory-store.ts';
import { ensurePki, type KeyPair, type Pki } from './pki.ts';

let directory: string;
let pki: Pki;
let store: Store;
let server: ApiServer;
let extension: Server;
let admin: Transport;
let port: number;

const root = '/apis/ext.example.org/v1';
const list = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'ext.example.org/v1',
  resources: [
    { name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get', 'list'] },
  ],
};

/** Says what it was asked, and by whom. */
function startExtension(): Promise<Server> {
  const { cert, key } = pki.server;
  const made = createServer(
    { cert, key, ca: pki.frontProxyCa.cert, requestCert: true },
    (request, response) => {
      const { url, method, headers } = request;
      const proxy = (request.socket as TLSSocket).getPeerCertificate().subject.CN;
      const echo = {
        url,
        method,
        proxy,
        user: headers['x-remote-user'],
        groups: headers['x-remote-group'],
        token: headers.authorization,
      };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(url === root ? list : echo));
    },
  );
  return new Promise((resolve) => {
    made.listen(0, '127.0.0.1', () => resolve(made));
  });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kanoe-aggregation-'));
  pki = await ensurePki(
    directory,
    { dns: ['localhost', 'ext.default.svc'], ips: ['127.0.0.1'] },
    systemClock,
  );
  store = createMemoryStore({ clock: systemClock });
  server = await createApiServer({
    store,
    schema: kubernetesSchema(),
    clock: systemClock,
    resources: (needs) => builtinResources({ ...needs, serviceCidr: '10.96.0.0/16' }),
    tls: { ...pki.server, clientCa: pki.ca.cert },
    frontProxy: {
      ca: pki.frontProxyCa.cert,
      allowedNames: ['front-proxy-client'],
      credentials: pki.frontProxyClient,
    },
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: pki.serviceAccountKey,
    },
    version: { gitVersion: 'v1.36.2+kanoe.0.1.0' },
    onFault: (error) => {
      throw error;
    },
  });
  ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
  admin = server.transport({ name: 'admin', groups: ['system:masters'] });
  extension = await startExtension();
  const target = (extension.address() as AddressInfo).port;
  await admin.request({
    verb: 'create',
    group: '',
    version: 'v1',
    resource: 'services',
    namespace: 'default',
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'ext', namespace: 'default' },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
  });
  await admin.request({
    verb: 'create',
    group: 'apiregistration.k8s.io',
    version: 'v1',
    resource: 'apiservices',
    body: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.ext.example.org' },
      spec: {
        group: 'ext.example.org',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 10,
        caBundle: Buffer.from(pki.ca.cert).toString('base64'),
        service: { name: 'ext', namespace: 'default', port: target },
      },
    },
  });
});

afterAll(async () => {
  await server.close();
  await store.close();
  extension.closeAllConnections();
  extension.close();
  await rm(directory, { recursive: true, force: true });
});

interface ApiServiceStatus {
  readonly status?: { readonly conditions?: readonly { readonly status: string; readonly reason: string }[] };
}

function apiService(): Promise<unknown> {
  return admin.request({
    verb: 'get',
    group: 'apiregistration.k8s.io',
    version: 'v1',
    resource: 'apiservices',
    name: 'v1.ext.example.org',
  });
}

function condition(service: unknown): string {
  const [first] = (service as ApiServiceStatus).status?.conditions ?? [];
  return `${first?.status} ${first?.reason}`;
}

function call(
  path: string,
  pair: KeyPair,
  headers: Record<string, string | string[]> = {},
): Promise<{ readonly code: number; readonly body: unknown }> {
  return new Promise((resolve, reject) => {
    const { cert, key } = pair;
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      path,
      ca: pki.ca.cert,
      cert,
      key,
      headers,
      agent: false,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const body = /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text;
        resolve({ code: response.statusCode ?? 0, body });
      });
    });
    request.end();
  });
}

describe('a group that another server serves', () => {
  it('becomes available', async () => {
    await expect.poll(async () => condition(await apiService())).toBe('True Passed');
  });

  it('is read within the process, too', async () => {
    const things = { verb: 'list', group: 'ext.example.org', version: 'v1', resource: 'things' } as const;
    const params = { labelSelector: 'a=b' };
    expect(await admin.request({ ...things, namespace: 'default', params })).toMatchObject({
      url: `${root}/namespaces/default/things?labelSelector=a%3Db`,
      user: 'admin',
    });
  });

  it('is asked as a front proxy, on behalf of the user', async () => {
    const headers = { authorization: 'Bearer secret', 'x-remote-user': 'somebody-else' };
    expect(await call(`${root}/namespaces/default/things?limit=5`, pki.admin, headers)).toEqual({
      code: 200,
      body: {
        url: `${root}/namespaces/default/things?limit=5`,
        method: 'GET',
        proxy: 'front-proxy-client',
        user: 'kubernetes-admin',
        groups: 'system:masters, system:authenticated',
      },
    });
  });

  it('is in the discovery documents', async () => {
    const { body } = await call('/apis', pki.admin);
    expect((body as { groups: { name: string }[] }).groups.at(-1)).toEqual({
      name: 'ext.example.org',
      versions: [{ groupVersion: 'ext.example.org/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'ext.example.org/v1', version: 'v1' },
    });
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const aggregated = (await call('/apis', pki.admin, { accept })).body as { items: object[] };
    expect(aggregated.items.at(-1)).toMatchObject({
      metadata: { name: 'ext.example.org' },
      versions: [{ version: 'v1', freshness: 'Current', resources: [{ resource: 'things' }] }],
    });
  });

  it('cannot be had by those who may not', async () => {
    const { code, body } = await call(`${root}/namespaces/default/things`, pki.frontProxyClient, {
      'x-remote-user': 'jane',
    });
    expect([code, (body as { message: string }).message]).toEqual([
      403,
      'things.ext.example.org is forbidden: User "jane" cannot list resource "things" in API group "ext.example.org" in the namespace "default"',
    ]);
  });
});

describe('a front proxy', () => {
  it('asks on behalf of the user it names', async () => {
    const headers = { 'x-remote-user': 'jane', 'x-remote-group': ['system:masters'] };
    expect((await call('/api/v1/namespaces/default', pki.frontProxyClient, headers)).code).toBe(200);
  });

  it('is not accepted by itself', async () => {
    expect((await call('/api/v1/namespaces/default', pki.frontProxyClient)).code).toBe(401);
  });

  it('is no user whose certificate the cluster signed', async () => {
    const headers = { 'x-remote-user': 'jane' };
    expect((await call('/api/v1/namespaces/default', pki.admin, headers)).code).toBe(200);
  });
});

it('registers what the server itself serves, and tells extensions whom to trust', async () => {
  const get = (resource: object): Promise<unknown> =>
    admin.request({ verb: 'get', group: '', version: 'v1', resource: '', ...resource });
  const local = await get({ group: 'apiregistration.k8s.io', resource: 'apiservices', name: 'v1.apps' });
  expect(local).toMatchObject({
    metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 },
  });
  const name = 'extension-apiserver-authentication';
  const trust = await get({ resource: 'configmaps', namespace: 'kube-system', name });
  expect(trust).toMatchObject({
    data: {
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-client-ca-file': pki.frontProxyCa.cert,
    },
  });
});
