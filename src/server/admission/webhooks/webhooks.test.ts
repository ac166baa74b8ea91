import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { builtinResources } from '../../../api/catalog.ts';
import { systemClock } from '../../../base/clock.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import { kubernetesSchema } from '../../../machinery/schema/table.ts';
import type { Transport } from '../../../machinery/transport.ts';
import { createMemoryStore } from '../../../storage/memory/memory-store.ts';
import { createApiServer, type ApiServer } from '../../api-server.ts';

interface ReviewRequest {
  readonly uid: string;
  readonly operation: string;
  readonly name?: string;
  readonly dryRun: boolean;
  readonly kind: object;
  readonly object: (KubeObject & { readonly data?: Readonly<Record<string, string>> }) | null;
  readonly oldObject: KubeObject | null;
  readonly options: object;
  readonly userInfo: { readonly username: string };
}

interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: ReviewRequest;
}

type Reply = (review: Review) => object | string;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

async function selfSigned(): Promise<{ readonly cert: string; readonly key: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(globalThis.crypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=hook',
    keys,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    serialNumber: '01',
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'dns', value: 'hook.default.svc' },
      ]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    cert: cert.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
  };
}

let hook: Server;
let port: number;
let api: ApiServer;
let admin: Transport;
let caBundle: string;
const replies = new Map<string, Reply>();
const reviews: { readonly path: string; readonly review: Review }[] = [];

beforeAll(async () => {
  const pair = await selfSigned();
  caBundle = Buffer.from(pair.cert).toString('base64');
  hook = createServer(pair, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
      const path = request.url ?? '';
      reviews.push({ path, review });
      const reply = replies.get(path.split('?', 1)[0] ?? '')?.(review) ?? {};
      response.setHeader('content-type', 'application/json');
      response.end(
        typeof reply === 'string'
          ? reply
          : JSON.stringify({
              apiVersion: review.apiVersion,
              kind: 'AdmissionReview',
              response: { uid: review.request.uid, allowed: true, ...reply },
            }),
      );
    });
  });
  await new Promise<void>((resolve) => {
    hook.listen(0, '127.0.0.1', resolve);
  });
  port = (hook.address() as AddressInfo).port;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  api = await createApiServer({
    store: createMemoryStore({ clock: systemClock }),
    schema: kubernetesSchema(),
    clock: systemClock,
    resources: (needs) => builtinResources({ ...needs, serviceCidr: '10.96.0.0/16' }),
    tls: { cert: pair.cert, key: pair.key, clientCa: pair.cert },
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    version: { gitVersion: 'v1.36.2' },
    onFault: (error) => {
      throw error;
    },
  });
  admin = api.transport({ name: 'admin', groups: ['system:masters', 'system:authenticated'] });
});

afterAll(async () => {
  await api.close();
  hook.closeAllConnections();
  hook.close();
});

const group = 'admissionregistration.k8s.io';

afterEach(async () => {
  for (const resource of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']) {
    await admin.request({ verb: 'deletecollection', group, version: 'v1', resource });
  }
  await admin.request({
    verb: 'deletecollection',
    group: '',
    version: 'v1',
    resource: 'configmaps',
    namespace: 'default',
  });
  replies.clear();
  reviews.length = 0;
});

interface HookOptions {
  readonly path?: string;
  readonly config?: string;
  readonly webhook?: object;
}

async function configure(kind: 'Mutating' | 'Validating', options: HookOptions = {}): Promise<void> {
  const { path = '/hook', config = 'hooks', webhook = {} } = options;
  await admin.request({
    verb: 'create',
    group,
    version: 'v1',
    resource: `${kind.toLowerCase()}webhookconfigurations`,
    body: {
      apiVersion: `${group}/v1`,
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: config },
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { url: `https://127.0.0.1:${port}${path}`, caBundle },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          ...webhook,
        },
      ],
    },
  });
}

function write(object: object, verb: 'create' | 'update' = 'create', params = {}): Promise<unknown> {
  return admin.request({
    verb,
    group: '',
    version: 'v1',
    resource: 'configmaps',
    namespace: 'default',
    ...(verb === 'update' ? { name: 'cm' } : {}),
    params,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, ...object },
  });
}

function patch(...operations: readonly object[]): object {
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') };
}

describe('validating webhooks', () => {
  it('see the whole request', async () => {
    await configure('Validating');
    await write({ data: { a: '1' } }, 'create', { dryRun: 'All', fieldManager: 'me' });
    const [{ path, review } = { path: '', review: undefined }] = reviews;
    expect(path).toBe('/hook?timeout=10s');
    expect(review?.apiVersion).toBe('admission.k8s.io/v1');
    expect(review?.request).toMatchObject({
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      name: 'cm',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      object: { apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } },
      oldObject: null,
      dryRun: true,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'], fieldManager: 'me' },
    });
  });

  it.each([
    [{ allowed: false }, 400, 'admission webhook "a.example.com" denied the request without explanation'],
    [
      { allowed: false, status: { message: 'no', code: 409, reason: 'Conflict' } },
      409,
      'admission webhook "a.example.com" denied the request: no',
    ],
    [
      { allowed: false, status: { reason: 'Odd' } },
      400,
      'admission webhook "a.example.com" denied the request: Odd',
    ],
    [
      { uid: 'x' },
      500,
      /^Internal error occurred: failed calling webhook "a.example.com": received invalid webhook response: expected response.uid=/,
    ],
    [
      patch({ op: 'add', path: '/data', value: {} }),
      500,
      'Internal error occurred: failed calling webhook "a.example.com": received invalid webhook response: validating webhook may not return response.patch',
    ],
  ])('refuse with %j', async (reply, code, message) => {
    await configure('Validating');
    replies.set('/hook', () => reply);
    await expect(write({})).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('that cannot be reached fail the request, or are ignored', async () => {
    const clientConfig = { url: 'https://127.0.0.1:1/x' };
    await configure('Validating', { webhook: { clientConfig, timeoutSeconds: 1 } });
    await expect(write({})).rejects.toMatchObject({
      code: 500,
      message:
        'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=1s": dial tcp 127.0.0.1:1: connect: connection refused',
    });
    await admin.request({
      verb: 'patch',
      group,
      version: 'v1',
      resource: 'validatingwebhookconfigurations',
      name: 'hooks',
      patchType: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }],
    });
    await expect(write({})).resolves.toMatchObject({ metadata: { name: 'cm' } });
  });

  it('with a certificate of an unknown authority are not trusted', async () => {
    const clientConfig = { url: `https://127.0.0.1:${port}/hook` };
    await configure('Validating', { webhook: { clientConfig } });
    await expect(write({})).rejects.toMatchObject({
      message: expect.stringContaining(
        'tls: failed to verify certificate: x509: certificate signed by unknown authority',
      ),
    });
  });

  it('are found behind services', async () => {
    const clientConfig = { service: { namespace: 'default', name: 'hook', path: '/hook' }, caBundle };
    await configure('Validating', { webhook: { clientConfig } });
    await expect(write({})).rejects.toMatchObject({
      message:
        'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post "https://hook.default.svc:443/hook?timeout=10s": service "hook" not found',
    });
    const core = { group: '', version: 'v1', namespace: 'default' } as const;
    await admin.request({
      ...core,
      verb: 'create',
      resource: 'services',
      body: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'hook' },
        spec: { ports: [{ port: 443, targetPort: 8443 }] },
      },
    });
    await admin.request({
      verb: 'create',
      group: 'discovery.k8s.io',
      version: 'v1',
      namespace: 'default',
      resource: 'endpointslices',
      body: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'hook', labels: { 'kubernetes.io/service-name': 'hook' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: false } }],
        ports: [{ port }],
      },
    });
    await expect(write({})).rejects.toMatchObject({
      message: expect.stringContaining('no endpoints available for service "hook"'),
    });
  });

  it('are called only where rules, selectors and conditions match', async () => {
    await configure('Validating', {
      webhook: {
        objectSelector: { matchLabels: { guarded: 'yes' } },
        matchConditions: [{ name: 'big', expression: "object.data.size == 'big'" }],
      },
    });
    await write({ data: { size: 'big' } }, 'create', { dryRun: 'All' });
    expect(reviews).toHaveLength(0);
    const labels = { guarded: 'yes' };
    await write({ metadata: { name: 'cm', labels }, data: { size: 'small' } }, 'create', { dryRun: 'All' });
    expect(reviews).toHaveLength(0);
    await write({ metadata: { name: 'cm', labels }, data: { size: 'big' } }, 'create', { dryRun: 'All' });
    expect(reviews).toHaveLength(1);
    await expect(write({ metadata: { name: 'cm', labels }, data: {} })).rejects.toMatchObject({
      code: 403,
      message: `configmaps "cm" is forbidden: expression 'object.data.size == 'big'' resulted in error: no such key: data`,
    });
  });
});

describe('mutating webhooks', () => {
  it('change what is written, and see names to be generated as missing', async () => {
    await configure('Mutating');
    replies.set('/hook', () => patch({ op: 'add', path: '/data', value: { added: 'yes' } }));
    const made = await write({ metadata: { generateName: 'cm-' } });
    expect(made).toMatchObject({ data: { added: 'yes' }, metadata: { generateName: 'cm-' } });
    const [seen] = reviews;
    expect(seen?.review.request.name).toBeUndefined();
    expect(seen?.review.request.object?.metadata.uid).toBeUndefined();
  });

  it('run once more when a later one changes the object', async () => {
    await configure('Mutating', {
      config: 'a',
      path: '/first',
      webhook: { reinvocationPolicy: 'IfNeeded' },
    });
    await configure('Mutating', { config: 'b', path: '/second' });
    replies.set('/second', () => patch({ op: 'add', path: '/data', value: { second: 'yes' } }));
    await write({}, 'create', { dryRun: 'All' });
    expect(reviews.map(({ path }) => path)).toEqual([
      '/first?timeout=10s',
      '/second?timeout=10s',
      '/first?timeout=10s',
    ]);
    expect(reviews[2]?.review.request.object?.data).toEqual({ second: 'yes' });
  });

  it('cannot write what does not fit the schema', async () => {
    await configure('Mutating');
    replies.set('/hook', () => patch({ op: 'add', path: '/data', value: 7 }));
    await expect(write({})).rejects.toMatchObject({ code: 500 });
    replies.set('/hook', () => patch({ op: 'replace', path: '/none/at', value: 7 }));
    await expect(write({})).rejects.toMatchObject({
      code: 500,
      message:
        'Internal error occurred: replace operation does not apply: doc is missing path: /none/at: missing value',
    });
  });
});
