import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { connect, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import type { X509Certificate } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { builtinResources } from '../api/catalog.ts';
import { configmaps } from '../api/core/v1.gen.ts';
import { sleep, systemClock } from '../base/clock.ts';
import { kubernetesSchema } from '../machinery/schema/table.ts';
import type { StatusError } from '../machinery/status-error.ts';
import type { ApiRequest, Transport, TransportEvent } from '../machinery/transport.ts';
import { createMemoryStore } from '../storage/memory/memory-store.ts';
import type { Store } from '../storage/kv.ts';
import { createApiServer, type ApiServer } from './api-server.ts';
import type { RequestRecord } from './http/request-record.ts';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

async function certificate(
  subject: string,
  issuer?: { readonly cert: X509Certificate; readonly key: webcrypto.CryptoKey },
) {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(globalThis.crypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const common = {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    serialNumber: Math.floor(Math.random() * 1e9)
      .toString(16)
      .padStart(8, '0'),
  };
  const cert = issuer
    ? await x509.X509CertificateGenerator.create({
        ...common,
        subject,
        issuer: issuer.cert.subject,
        publicKey: keys.publicKey,
        signingKey: issuer.key,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
      })
    : await x509.X509CertificateGenerator.createSelfSigned({
        ...common,
        name: subject,
        keys,
        extensions: [new x509.BasicConstraintsExtension(true)],
      });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  return { cert, privateKey: keys.privateKey, pem: { cert: cert.toString('pem'), key } };
}

/** The members of answers that tests look at. */
interface Json {
  readonly kind?: string;
  readonly message?: string;
  readonly gitVersion?: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly continue: string;
  };
  readonly data: Readonly<Record<string, string>>;
  readonly items: readonly Json[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

interface Reply {
  readonly code: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  json(): Json;
}

let store: Store;
let server: ApiServer;
let admin: Transport;
let port: number;
let ca: string;
let adminPair: Pair;
const faults: unknown[] = [];
let last: RequestRecord | undefined;

beforeAll(async () => {
  const authority = await certificate('CN=kubernetes');
  const issuer = { cert: authority.cert, key: authority.privateKey };
  const serving = await certificate('CN=kube-apiserver', issuer);
  adminPair = (await certificate('CN=kubernetes-admin,O=system:masters', issuer)).pem;
  ca = authority.pem.cert;
  store = createMemoryStore({ clock: systemClock });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  server = await createApiServer({
    store,
    schema: kubernetesSchema(),
    clock: systemClock,
    resources: (needs) => builtinResources({ ...needs, serviceCidr: '10.96.0.0/16' }),
    tls: { ...serving.pem, clientCa: ca },
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    version: { gitVersion: 'v1.36.2+kanoe.0.1.0' },
    onFault: (error) => faults.push(error),
    observers: [{ completed: (record) => (last = record) }],
  });
  ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
  admin = server.transport({ name: 'admin', groups: ['system:masters'] });
});

afterAll(async () => {
  await server.close();
  await store.close();
});

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly anonymous?: true;
}

function call(method: string, path: string, options: CallOptions = {}): Promise<Reply> {
  const credentials = options.anonymous ? {} : adminPair;
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      ca,
      ...credentials,
      headers: options.headers,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          code: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Json,
        });
      });
    });
    const { body } = options;
    outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string, rest: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...rest,
});
const about = { group: '', version: 'v1', resource: configmaps.resource, namespace: 'default' } as const;

async function failure(request: Promise<unknown>): Promise<StatusError> {
  return request.then(
    () => {
      throw new Error('the request succeeded');
    },
    (error: StatusError) => error,
  );
}

describe('writes', () => {
  it('creates, reads, updates and deletes', async () => {
    const created = (await call('POST', maps, { body: map('life', { data: { a: '1' } }) })).json();
    expect(created).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'life', namespace: 'default' },
      data: { a: '1' },
    });
    const read = (await call('GET', `${maps}/life`)).json();
    expect(read).toEqual(created);
    const updated = await call('PUT', `${maps}/life`, { body: { ...read, data: { a: '2' } } });
    expect(updated.json().metadata.resourceVersion).not.toBe(read.metadata.resourceVersion);
    const stale = await call('PUT', `${maps}/life`, { body: { ...read, data: { a: '3' } } });
    expect([stale.code, stale.json().message]).toEqual([
      409,
      'Operation cannot be fulfilled on configmaps "life": the object has been modified; please apply your changes to the latest version and try again',
    ]);
    const deleted = (await call('DELETE', `${maps}/life`)).json();
    expect(deleted).toMatchObject({
      status: 'Success',
      details: { name: 'life', kind: 'configmaps', uid: read.metadata.uid },
    });
    expect((await call('GET', `${maps}/life`)).json()).toMatchObject({
      reason: 'NotFound',
      message: 'configmaps "life" not found',
      code: 404,
    });
  });

  it('does not write what does not change', async () => {
    const before = (await call('POST', maps, { body: map('same', { data: { a: '1' } }) })).json();
    const patched = await call('PATCH', `${maps}/same`, {
      body: { data: { a: '1' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(patched.json()).toEqual(before);
  });

  it('applies concurrent patches one after the other', async () => {
    await call('POST', maps, { body: map('busy', { data: {} }) });
    await Promise.all(
      Array.from({ length: 20 }, (_unused, index) =>
        admin.request({
          ...about,
          verb: 'patch',
          name: 'busy',
          patchType: 'application/merge-patch+json',
          body: { data: { [`k${index}`]: 'v' } },
        }),
      ),
    );
    const { data } = (await call('GET', `${maps}/busy`)).json();
    expect(Object.keys(data)).toHaveLength(20);
  });

  it('warns of unknown fields, or refuses them, as fieldValidation says', async () => {
    const body = map('odd', { bogus: 1 });
    const warned = await call('POST', `${maps}?dryRun=All`, { body });
    expect([warned.code, warned.headers['warning']]).toEqual([201, '299 - "unknown field \\"bogus\\""']);
    const refused = await call('POST', `${maps}?fieldValidation=Strict`, { body });
    expect(refused.json().message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus"',
    );
  });

  it('keeps an object until its finalizers are gone', async () => {
    await call('POST', maps, {
      body: map('held', { metadata: { name: 'held', finalizers: ['example.com/hold'] } }),
    });
    const marked = (await call('DELETE', `${maps}/held`)).json();
    expect(marked.metadata).toMatchObject({
      deletionGracePeriodSeconds: 0,
      finalizers: ['example.com/hold'],
    });
    const again = await call('POST', maps, { body: map('held') });
    expect(again.json().message).toBe('object is being deleted: configmaps "held" already exists');
    await call('PATCH', `${maps}/held`, {
      body: [{ op: 'remove', path: '/metadata/finalizers' }],
      headers: { 'content-type': 'application/json-patch+json' },
    });
    expect((await call('GET', `${maps}/held`)).code).toBe(404);
  });

  it('never keeps the object of a caller in the process', async () => {
    const mine = { metadata: { name: 'mine' }, data: { a: '1' } };
    const stored = (await admin.request({ ...about, verb: 'create', body: mine })) as { data: { a: string } };
    mine.data.a = '2';
    expect(stored.data.a).toBe('1');
    expect(Object.isFrozen(stored.data)).toBe(true);
  });
});

it('takes the long commands that stand in the URL of an exec', async () => {
  const { code } = await call('GET', `${maps}?command=${'x'.repeat(200_000)}`);
  expect(code).toBe(200);
});

describe('bad requests', () => {
  it.each<[name: string, method: string, path: string, options: CallOptions, code: number, message: string]>([
    ['an unknown path', 'GET', '/nowhere', {}, 404, '404 page not found\n'],
    [
      'an unknown resource',
      'GET',
      '/api/v1/foos',
      {},
      404,
      'the server could not find the requested resource',
    ],
    [
      'another namespace in the body',
      'POST',
      maps,
      { body: map('x', { metadata: { name: 'x', namespace: 'other' } }) },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'another name in the body',
      'PUT',
      `${maps}/y`,
      { body: map('x') },
      400,
      'the name of the object (x) does not match the name on the URL (y)',
    ],
    [
      'no name',
      'POST',
      maps,
      { body: { apiVersion: 'v1', kind: 'ConfigMap' } },
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    [
      'a version on creation',
      'POST',
      maps,
      { body: map('x', { metadata: { name: 'x', resourceVersion: '5' } }) },
      500,
      'resourceVersion should not be set on objects to be created',
    ],
    [
      'a namespace that is not there',
      'POST',
      '/api/v1/namespaces/none/configmaps',
      { body: map('x') },
      404,
      'namespaces "none" not found',
    ],
    [
      'an unreadable body type',
      'POST',
      maps,
      { body: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ],
    [
      'a dry run of a kind that is not known',
      'POST',
      `${maps}?dryRun=Some`,
      { body: map('x') },
      422,
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    ],
    [
      'a selector that cannot be read',
      'GET',
      `${maps}?labelSelector=a%20b`,
      {},
      400,
      "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    ],
    ['a broken escape', 'GET', '/api/v1/namespaces/%zz/configmaps', {}, 400, 'invalid URL escape'],
    [
      'an anonymous client',
      'GET',
      '/api/v1/namespaces/default/pods',
      { anonymous: true },
      403,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'an anonymous client at a path',
      'GET',
      '/api',
      { anonymous: true },
      403,
      'forbidden: User "system:anonymous" cannot get path "/api"',
    ],
    [
      'a token that is none',
      'GET',
      '/api',
      { anonymous: true, headers: { authorization: 'Bearer x.y.z' } },
      401,
      'Unauthorized',
    ],
    [
      'a user who may not be impersonated',
      'GET',
      '/api/v1/nodes',
      { headers: { 'impersonate-user': 'alice' } },
      403,
      'nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope',
    ],
  ])('%s', async (...[, method, path, options, code, message]) => {
    const reply = await call(method, path, options);
    const text = String(reply.headers['content-type']).startsWith('application/json')
      ? reply.json().message
      : reply.text;
    expect([reply.code, text]).toEqual([code, message]);
  });

  it('answers a body beyond 3 MiB with 413', async () => {
    const reply = await call('POST', maps, { body: ' '.repeat(3 * 1024 * 1024 + 1) });
    expect([reply.code, reply.json().message]).toEqual([413, 'Request entity too large: limit is 3145728']);
  });

  it.each([
    '{',
    '[]',
    '"x"',
    'null',
    '{"metadata":5}',
    '{"apiVersion":5}',
    '{"kind":"Pod"}',
    '\u0000',
    '{"data":{"a":1}}',
  ])('answers the body %j with a client error', async (body) => {
    const { code } = await call('POST', maps, { body });
    expect([400, 422]).toContain(code);
  });
});

describe('reads', () => {
  it('gives pages of one version, whatever is written between them', async () => {
    for (const name of ['p1', 'p2', 'p3', 'p4'])
      await call('POST', maps, { body: map(name, { metadata: { name, labels: { page: 'x' } } }) });
    const first = (await call('GET', `${maps}?labelSelector=page&limit=3`)).json();
    await call('DELETE', `${maps}/p4`);
    const token = encodeURIComponent(first.metadata.continue);
    const second = (await call('GET', `${maps}?labelSelector=page&limit=3&continue=${token}`)).json();
    const names = [first, second].map((page) => page.items.map((item) => item.metadata.name));
    expect(names).toEqual([['p1', 'p2', 'p3'], ['p4']]);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it('shows tables and metadata alone', async () => {
    await call('POST', maps, { body: map('shown', { data: { a: '1', b: '2' } }) });
    const table = await call('GET', `${maps}?fieldSelector=metadata.name=shown`, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.json().rows[0]?.cells.slice(0, 2)).toEqual(['shown', 2]);
    const partial = await call('GET', `${maps}/shown`, {
      headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    });
    expect(partial.json()).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'shown' } });
    expect(partial.json()).not.toHaveProperty('data');
  });

  it('serves health and version to everyone', async () => {
    for (const path of ['/healthz', '/livez', '/readyz']) {
      expect((await call('GET', path, { anonymous: true })).text).toBe('ok');
    }
    expect((await call('GET', '/readyz?verbose', { anonymous: true })).text).toContain('[+]ping ok\n');
    expect((await call('GET', '/version', { anonymous: true })).json().gitVersion).toBe(
      'v1.36.2+kanoe.0.1.0',
    );
  });
});

async function take(events: AsyncIterable<TransportEvent>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for await (const { type, object } of events) {
    taken.push(`${type} ${object.metadata.name ?? ''}`);
    if (taken.length === count) break;
  }
  return taken;
}

describe('watches', () => {
  it('tells of every change after a version, in order', async () => {
    const { metadata } = (await admin.request({ ...about, verb: 'list' })) as {
      metadata: { resourceVersion: string };
    };
    const params = { resourceVersion: metadata.resourceVersion };
    for (const name of ['w1', 'w2'])
      await admin.request({ ...about, verb: 'create', body: { metadata: { name } } });
    await admin.request({ ...about, verb: 'delete', name: 'w1' });
    const events = await take(admin.watch({ ...about, verb: 'watch', params }), 3);
    expect(events).toEqual(['ADDED w1', 'ADDED w2', 'DELETED w1']);
  });

  it('marks the end of the initial state when asked to', async () => {
    await admin.request({
      ...about,
      verb: 'create',
      body: { metadata: { name: 'first', labels: { initial: 'x' } } },
    });
    const params = {
      labelSelector: 'initial',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    };
    expect(await take(admin.watch({ ...about, verb: 'watch', params }), 2)).toEqual([
      'ADDED first',
      'BOOKMARK ',
    ]);
  });

  it('goes on for others while one HTTP/2 client does not read', async () => {
    const session: ClientHttp2Session = connect(`https://127.0.0.1:${port}`, { ca, ...adminPair });
    const stalled = session.request({ ':path': `${maps}?watch=1&labelSelector=big` });
    await new Promise((resolve) => stalled.once('response', resolve));
    stalled.pause();
    const watching = take(admin.watch({ ...about, verb: 'watch', params: { labelSelector: 'big' } }), 8);
    const blob = 'x'.repeat(900_000);
    for (let index = 0; index < 8; index++) {
      const body = { metadata: { name: `big${index}`, labels: { big: 'x' } }, data: { blob } };
      await admin.request({ ...about, verb: 'create', body });
    }
    expect(await watching).toHaveLength(8);
    stalled.destroy();
    session.destroy();
  });
});

describe('watches over WebSocket', () => {
  it.each<[string, Readonly<Record<string, string>>, 'text' | 'binary']>([
    ['texts of JSON', {}, 'text'],
    ['binary messages of protobuf', { accept: 'application/vnd.kubernetes.protobuf;stream=watch' }, 'binary'],
  ])('%s, one for each event', async (_name, headers, form) => {
    const from = (await call('GET', maps)).json().metadata.resourceVersion;
    const label = `socket-${form}`;
    const address = `wss://127.0.0.1:${port}${maps}?watch=1&resourceVersion=${from}&labelSelector=of%3D${label}`;
    const socket = new WebSocket(address, ['base64.binary.k8s.io'], { ca, ...adminPair, headers });
    const messages: { text: string; binary: boolean }[] = [];
    const two = new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (data: Buffer, binary) => {
        messages.push({ text: data.toString('latin1'), binary });
        if (messages.length === 2) resolve();
      });
    });
    await new Promise((resolve) => socket.once('open', resolve));
    for (const one of ['a', 'b'])
      await call('POST', maps, {
        body: map(`${label}-${one}`, { metadata: { name: `${label}-${one}`, labels: { of: label } } }),
      });
    await two;
    socket.close();
    expect(messages.map(({ binary }) => binary)).toEqual([form === 'binary', form === 'binary']);
    const start = { text: '{"type":"ADDED","object":{"kind":"ConfigMap"', binary: '\n\x05ADDED\x12' }[form];
    expect(messages[0]?.text.slice(0, start.length)).toBe(start);
    for (const [at, one] of ['a', 'b'].entries()) expect(messages[at]?.text).toContain(`${label}-${one}`);
  });

  it('refuses what the client may not see', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}${maps}?watch=1`, { ca });
    const refusal = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(refusal.message).toBe('Unexpected server response: 403');
  });
});

describe('service-account tokens', () => {
  it('stand for their account as long as it exists', async () => {
    const request: ApiRequest = {
      group: '',
      version: 'v1',
      resource: 'serviceaccounts',
      namespace: 'default',
      verb: 'create',
    };
    await admin.request({ ...request, body: { metadata: { name: 'robot' } } });
    const answer = (await admin.request({
      ...request,
      name: 'robot',
      subresource: 'token',
      body: { spec: {} },
    })) as {
      status: { token: string };
    };
    const headers = { authorization: `Bearer ${answer.status.token}` };
    const refused = await call('GET', maps, { anonymous: true, headers });
    expect(refused.json().message).toBe(
      'configmaps is forbidden: User "system:serviceaccount:default:robot" cannot list resource "configmaps" in API group "" in the namespace "default"',
    );
    await admin.request({ ...request, verb: 'delete', name: 'robot' });
    expect((await call('GET', maps, { anonymous: true, headers })).code).toBe(401);
  });
});

const reviews = '/apis/authorization.k8s.io/v1';
const node = (name: string): Readonly<Record<string, string>> => ({
  'impersonate-user': `system:node:${name}`,
  'impersonate-group': 'system:nodes',
});

describe('answers in the words of upstream', () => {
  interface Row {
    readonly says: string;
    readonly request: readonly [string, string];
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    readonly code: number;
    readonly answer: object;
  }
  const rows: readonly Row[] = [
    {
      says: 'an object of an unknown group is of no registered kind',
      request: ['POST', maps],
      body: { ...map('other'), apiVersion: 'nothing.example.com/v1' },
      code: 400,
      answer: {
        message:
          'ConfigMap in version "v1" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "nothing.example.com/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
      },
    },
    {
      says: 'a body that is cut off is shown by its first thirty bytes',
      request: ['POST', maps],
      body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"',
      code: 400,
      answer: {
        message:
          'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"apiVersion":"v1","kind":"Con ...)',
      },
    },
    {
      says: 'a generation that a client gives stays where the server counts none',
      request: ['POST', '/api/v1/namespaces/default/secrets?dryRun=All'],
      body: { metadata: { name: 'counted', generation: 7 } },
      code: 201,
      answer: { metadata: { generation: 7 } },
    },
    {
      says: 'an event of events.k8s.io is named by its stored kind',
      request: ['POST', '/apis/events.k8s.io/v1/namespaces/default/events'],
      body: { metadata: { name: 'late' }, reportingController: 'a.b/c', reportingInstance: 'c' },
      code: 422,
      answer: { details: { name: 'late', kind: 'Event' } },
    },
    {
      says: 'an empty propagation policy is none',
      request: ['DELETE', `${maps}/any`],
      body: '{"propagationPolicy":""}',
      headers: { 'content-length': '24' },
      code: 422,
      answer: {
        message:
          'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "": supported values: "Foreground", "Background", "Orphan", "nil"',
      },
    },
    {
      says: 'a patch without a media type is turned away by the router',
      request: ['PATCH', `${maps}/any`],
      body: '{}',
      code: 415,
      answer: { message: '415: Unsupported Media Type' },
    },
    {
      says: 'a field manager shows where it is not printable',
      request: ['POST', `${maps}?fieldManager=a%07b`],
      body: map('managed'),
      code: 422,
      answer: {
        message:
          'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\ab": invalid character U+0007 (at position 1)',
      },
    },
    {
      says: 'classes of the system stay',
      request: ['DELETE', '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical'],
      code: 403,
      answer: {
        message:
          'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
      },
    },
    {
      says: 'a node changes no other node',
      request: ['POST', '/api/v1/nodes'],
      body: { metadata: { name: 'one' } },
      headers: node('two'),
      code: 403,
      answer: { message: 'nodes "one" is forbidden: node "two" is not allowed to modify node "one"' },
    },
    {
      says: 'a node takes only its own lease',
      request: ['POST', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'],
      body: { metadata: { name: 'one' } },
      headers: node('two'),
      code: 403,
      answer: {
        message:
          'leases.coordination.k8s.io "one" is forbidden: can only access node lease with the same name as the requesting node',
      },
    },
    {
      says: 'a node creates only mirror pods',
      request: ['POST', '/api/v1/namespaces/default/pods'],
      body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'c' }] } },
      headers: node('two'),
      code: 403,
      answer: { reason: 'Forbidden' },
    },
    {
      says: 'a field selector that cannot be understood is an error of the evaluation',
      request: ['POST', `${reviews}/subjectaccessreviews`],
      body: {
        spec: {
          user: 'alice',
          resourceAttributes: {
            verb: 'list',
            resource: 'pods',
            fieldSelector: { requirements: [{ key: 'a', operator: 'Exists' }] },
          },
        },
      },
      code: 201,
      answer: {
        status: {
          allowed: false,
          evaluationError: 'spec.resourceAttributes.fieldSelector ignored due to parse error',
        },
      },
    },
    {
      says: 'a review is no row of a table',
      request: ['POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews'],
      body: {},
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      code: 406,
      answer: { reason: 'NotAcceptable' },
    },
    {
      says: 'a list without columns of its own is an empty table without rows',
      request: ['GET', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles'],
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      code: 200,
      answer: { kind: 'Table', rows: null },
    },
    {
      says: 'what no representation fits is turned away by the router',
      request: ['GET', maps],
      headers: { accept: 'text/html' },
      code: 406,
      answer: {
        message:
          '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
      },
    },
  ];
  it.each(rows)('$says', async ({ request: [method, path], body, headers, code, answer }) => {
    const reply = await call(method, path, {
      ...(body === undefined ? {} : { body }),
      headers: {
        ...(body === undefined || method === 'PATCH' ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    expect([reply.code, reply.json()]).toMatchObject([code, answer]);
  });

  it.each<[method: string, path: string, code: number]>([
    ['POST', '/version', 405],
    ['PUT', '/api', 405],
    ['POST', '/api/v1', 405],
    ['DELETE', '/apis/apps/v1', 405],
    ['POST', '/openid/v1/jwks', 405],
    ['HEAD', '/version', 405],
    ['HEAD', maps, 405],
    ['HEAD', '/healthz', 200],
    ['DELETE', '/apis/apps', 200],
    ['POST', '/apis', 200],
    ['POST', '/metrics', 200],
    ['POST', '/nothing', 404],
    ['GET', '/index.html', 200],
    ['GET', '/index.htm', 404],
    ['PUT', '/api/v1/configmaps', 405],
    ['PATCH', '/apis/apps/v1/deployments', 405],
    ['GET', `${maps}?watch=1&continue=x&timeoutSeconds=1`, 422],
  ])('answers %s %s with %i', async (method, path, code) => {
    expect((await call(method, path)).code).toBe(code);
  });

  it.each([
    'apiserver_flowcontrol_dispatched_requests_total{flow_schema="exempt",priority_level="exempt"} ',
    'apiserver_flowcontrol_current_executing_requests{flow_schema="exempt",priority_level="exempt"} ',
    'apiserver_flowcontrol_nominal_limit_seats{priority_level="workload-high"} ',
    'apiserver_flowcontrol_request_wait_duration_seconds_count{flow_schema="exempt"',
    'apiserver_flowcontrol_request_execution_seconds_count{flow_schema="exempt"',
    'apiserver_flowcontrol_work_estimated_seats_count{flow_schema="exempt"',
    'apiserver_request_body_size_bytes_count{group="",resource="configmaps",verb="create"} ',
    'field_validation_request_duration_seconds_count{field_validation=""} ',
    'apiserver_cache_list_total{group="",resource="configmaps",index=""} ',
    'apiserver_cache_list_returned_objects_total{group="",resource="configmaps"} ',
    'apiserver_storage_events_received_total{group="",resource="configmaps"} ',
    'apiserver_watch_cache_initializations_total{group="",resource="configmaps"} 1',
    'apiserver_resource_size_estimate_bytes{group="",resource="configmaps"} ',
  ])('measures %s', async (series) => {
    await call('POST', maps, { body: { ...map('x'), metadata: { generateName: 'measured-' } } });
    await call('GET', maps);
    expect((await call('GET', '/metrics')).text).toContain(`\n${series}`);
  });

  it('wants to be told what a custom object is', async () => {
    const path = '/apis/toys.example.com/v1/namespaces/default/cars';
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'cars.toys.example.com' },
        spec: {
          group: 'toys.example.com',
          scope: 'Namespaced',
          names: { plural: 'cars', kind: 'Car' },
          versions: [
            { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
          ],
        },
      },
    });
    while ((await call('GET', path)).code !== 200) await sleep(systemClock, 10);
    const apiVersion = 'toys.example.com/v1';
    const answers = [
      { kind: 'Car', metadata: { name: 'a' } },
      { apiVersion, metadata: { name: 'a' } },
      { apiVersion, kind: 'Car', metadata: { name: 'a' } },
    ].map(async (body) => {
      const { code, json } = await call('POST', path, { body });
      return [code, json().message];
    });
    expect(await Promise.all(answers)).toEqual([
      [400, `the API version in the data () does not match the expected API version (${apiVersion})`],
      [
        400,
        `Car in version "v1" cannot be handled as a Car: Object 'Kind' is missing in '{"apiVersion":"${apiVersion}","metadata":{"name":"a"}}'`,
      ],
      [201, undefined],
    ]);
  });

  it('notes what was sent as it was understood, and what was done', async () => {
    const path = '/api/v1/namespaces/default/services';
    const spec = { type: 'ExternalName', externalName: 'a.example', nothing: 1 };
    await call('POST', path, {
      body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'noted' }, spec },
    });
    expect(last?.requestObject?.()).toMatchObject({
      kind: 'Service',
      spec: { type: 'ExternalName', externalName: 'a.example', sessionAffinity: 'None' },
    });
    expect(last?.requestObject?.()).not.toHaveProperty('spec.nothing');
    const patch = { metadata: { labels: { a: 'b' } } };
    const headers = { 'content-type': 'application/merge-patch+json' };
    await call('PATCH', `${path}/noted`, { body: patch, headers });
    expect(last?.requestObject?.()).toEqual(patch);
    await call('DELETE', `${path}/noted`);
    expect(last?.success).toBeUndefined();
    await call('POST', maps, { body: map('noted') });
    await call('DELETE', `${maps}/noted`);
    expect(last?.success).toMatchObject({ status: 'Success', details: { name: 'noted' } });
  });

  it('shows a scale as a row', async () => {
    const sets = '/apis/apps/v1/namespaces/default/replicasets';
    const labels = { app: 'scaled' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'c' }] } };
    const spec = { replicas: 3, selector: { matchLabels: labels }, template };
    expect((await call('POST', sets, { body: { metadata: { name: 'scaled' }, spec } })).code).toBe(201);
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const { rows } = (await call('GET', `${sets}/scaled/scale`, { headers })).json();
    expect(rows[0]?.cells.slice(0, 3)).toEqual(['scaled', 3, 0]);
  });

  it('calls what is no HTTP a bad request', async () => {
    const socket = tlsConnect({ host: '127.0.0.1', port, ca, ...adminPair, ALPNProtocols: ['http/1.1'] });
    socket.end('NONSENSE\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  it('gives pods the zone and region of their node', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', other: 'x' };
    await call('POST', '/api/v1/nodes', { body: { metadata: { name: 'zoned', labels } } });
    await call('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { metadata: { name: 'default' } },
    });
    const body = { metadata: { name: 'placed' }, spec: { containers: [{ name: 'c', image: 'c' }] } };
    expect((await call('POST', pods, { body })).code).toBe(201);
    const binding = { metadata: { name: 'placed' }, target: { kind: 'Node', name: 'zoned' } };
    expect((await call('POST', `${pods}/placed/binding`, { body: binding })).code).toBe(201);
    const { other: _other, ...copied } = labels;
    expect((await call('GET', `${pods}/placed`)).json().metadata).toMatchObject({ labels: copied });
  });

  it('shows events of both groups in the same rows', async () => {
    const event = {
      note: 'hello',
      regarding: { kind: 'Pod', name: 'p' },
      eventTime: '2026-01-01T00:00:00.000000Z',
    };
    const reporter = {
      reportingController: 'a.b/c',
      reportingInstance: 'c',
      action: 'Do',
      reason: 'Done',
      type: 'Normal',
    };
    const path = '/apis/events.k8s.io/v1/namespaces/default/events';
    const made = await call('POST', path, { body: { metadata: { name: 'seen' }, ...event, ...reporter } });
    expect(made.code).toBe(201);
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    for (const base of [path, '/api/v1/namespaces/default/events']) {
      const {
        rows: [row],
      } = (await call('GET', `${base}/seen`, { headers: { accept } })).json();
      expect(row?.cells).toEqual(expect.arrayContaining(['pod/p', 'hello', 'Done']));
    }
  });
});

it('meets no fault of its own', () => {
  expect(faults).toEqual([]);
});

describe('in the process', () => {
  it('is subject to the same authorisation', async () => {
    const nobody = server.transport({ name: 'nobody', groups: ['system:authenticated'] });
    const error = await failure(nobody.request({ ...about, verb: 'list' }));
    expect(error.message).toBe(
      'configmaps is forbidden: User "nobody" cannot list resource "configmaps" in API group "" in the namespace "default"',
    );
  });
});
