import { createServer, type Server } from 'node:https';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfsubjectreviews } from '../src/api/authentication/v1.gen.ts';
import { configmaps, secrets, serviceaccounts } from '../src/api/core/v1.gen.ts';
import { systemClock } from '../src/base/clock.ts';
import type { Client } from '../src/client/client.ts';
import type { Connection } from '../src/client/connection.ts';
import { createClient } from '../src/client/create-client.ts';
import { createHttpsTransport } from '../src/client/https-transport.ts';
import { connectionOf, readKubeconfigs } from '../src/client/kubeconfig-file.ts';
import { ensurePki } from '../src/cluster/pki.ts';
import { eventually } from './support/eventually.ts';
import { makeWorkplace, type Workplace } from './support/kanoe.ts';

/** An OpenID Connect issuer and a token webhook, on one address. */
interface Services {
  readonly url: string;
  readonly ca: string;
  sign(claims: Record<string, unknown>): Promise<string>;
  close(): void;
}

async function startServices(directory: string): Promise<Services> {
  const pki = await ensurePki(directory, { dns: ['localhost'], ips: ['127.0.0.1'] }, systemClock);
  const { publicKey, privateKey }: { publicKey: CryptoKey; privateKey: CryptoKey } =
    await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k' };
  let url = '';
  const server: Server = createServer({ cert: pki.server.cert, key: pki.server.key }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(JSON.stringify(answer(request.url ?? '', body))));
  });
  const answer = (path: string, body: string): object => {
    if (path === '/.well-known/openid-configuration') return { issuer: url, jwks_uri: `${url}/keys` };
    if (path === '/keys') return { keys: [key] };
    const { spec } = JSON.parse(body) as { readonly spec: { readonly token: string } };
    const known = spec.token === 'known-to-the-webhook';
    return {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      status: known
        ? { authenticated: true, user: { username: 'wendy', groups: ['hooked'] } }
        : { authenticated: false, error: 'never heard of it' },
    };
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    ca: pki.ca.cert,
    sign: (claims) =>
      new SignJWT({ iss: url, aud: 'kanoe', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setExpirationTime('5m')
        .sign(privateKey),
    close: () => server.close(),
  };
}

describe('who sends a request', () => {
  let place: Workplace;
  let services: Services;
  let connection: Connection;
  let admin: Client;
  const auditLog = (): string => join(place.directory, 'audit', 'audit.log');

  beforeAll(async () => {
    place = await makeWorkplace();
    services = await startServices(join(place.directory, 'services'));
    const file = (name: string, value: unknown): string => {
      const path = join(place.directory, name);
      writeFileSync(path, JSON.stringify(value));
      return path;
    };
    const authentication = file('authentication.json', {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthenticationConfiguration',
      jwt: [
        {
          issuer: { url: services.url, certificateAuthority: services.ca, audiences: ['kanoe'] },
          claimMappings: {
            username: { claim: 'sub', prefix: 'oidc:' },
            groups: { expression: "claims.roles.map(role, 'team:' + role)" },
          },
        },
      ],
      anonymous: { enabled: true, conditions: [{ path: '/livez' }] },
    });
    const webhook = file('webhook.json', {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'hook',
      clusters: [
        {
          name: 'hook',
          cluster: {
            server: `${services.url}/review`,
            'certificate-authority-data': Buffer.from(services.ca).toString('base64'),
          },
        },
      ],
      users: [{ name: 'hook', user: {} }],
      contexts: [{ name: 'hook', context: { cluster: 'hook', user: 'hook' } }],
    });
    const policy = file('policy.json', {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [
        {
          level: 'RequestResponse',
          namespaces: ['default'],
          resources: [{ group: '', resources: ['configmaps'] }],
        },
      ],
    });
    await place.up([
      '--nodes=0',
      `--authentication-config=${authentication}`,
      `--authentication-token-webhook-config-file=${webhook}`,
      `--audit-policy-file=${policy}`,
      `--audit-log-path=${auditLog()}`,
    ]);
    connection = await connectionOf(await readKubeconfigs([place.kubeconfig]));
    admin = createClient(createHttpsTransport(connection));
  });
  afterAll(async () => {
    await admin.transport.close();
    services.close();
    await place.stop();
  });

  async function whoIs(token: string): Promise<unknown> {
    const { server, ca } = connection;
    const transport = createHttpsTransport({ server, ...(ca ? { ca } : {}), token });
    try {
      const review = await createClient(transport)
        .for(selfsubjectreviews)
        .create({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} });
      return review.status?.userInfo;
    } finally {
      await transport.close();
    }
  }

  it('an issuer of OpenID Connect tokens says', async () => {
    const token = await services.sign({ sub: 'jo', roles: ['dev'] });
    expect(await whoIs(token)).toEqual({ username: 'oidc:jo', groups: ['team:dev', 'system:authenticated'] });
    await expect(whoIs(await services.sign({ sub: 'jo', roles: 1 }))).rejects.toMatchObject({ code: 401 });
  });

  it('a webhook says', async () => {
    expect(await whoIs('known-to-the-webhook')).toEqual({
      username: 'wendy',
      groups: ['hooked', 'system:authenticated'],
    });
    await expect(whoIs('unknown')).rejects.toMatchObject({ code: 401 });
  });

  it('a bootstrap token says, until it is over', async () => {
    const token = (ending: number): Record<string, string> => ({
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:people',
      expiration: new Date(ending).toISOString(),
    });
    const now = systemClock.now();
    const secret = await admin.for(secrets).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: token(now + 3_600_000),
    });
    expect(await whoIs('abcdef.0123456789abcdef')).toEqual({
      username: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:people', 'system:authenticated'],
    });
    await expect(whoIs('abcdef.0123456789abcdee')).rejects.toMatchObject({ code: 401 });
    await admin.for(secrets).update({ ...secret, stringData: token(now - 1000) });
    await eventually(async () => {
      const { items } = await admin.for(secrets).list({ namespace: 'kube-system' });
      expect(items.map(({ metadata }) => metadata.name)).not.toContain('bootstrap-token-abcdef');
    });
  });

  it('a token in a secret says, as long as its account exists', async () => {
    const meta = { apiVersion: 'v1' as const, namespace: 'default' };
    await admin.for(serviceaccounts).create({
      ...meta,
      kind: 'ServiceAccount',
      metadata: { name: 'robot', namespace: 'default' },
    });
    await admin.for(secrets).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'robot-token',
        namespace: 'default',
        annotations: { 'kubernetes.io/service-account.name': 'robot' },
      },
      type: 'kubernetes.io/service-account-token',
    });
    const token = await eventually(async () => {
      const { data } = await admin.for(secrets).get({ namespace: 'default', name: 'robot-token' });
      expect(Object.keys(data ?? {}).sort()).toEqual(['ca.crt', 'namespace', 'token']);
      return Buffer.from(data?.['token'] ?? '', 'base64').toString();
    });
    expect(await whoIs(token)).toMatchObject({ username: 'system:serviceaccount:default:robot' });
    await admin.for(serviceaccounts).delete({ namespace: 'default', name: 'robot' });
    await expect(whoIs(token)).rejects.toMatchObject({ code: 401 });
    await eventually(() =>
      expect(admin.for(secrets).get({ namespace: 'default', name: 'robot-token' })).rejects.toMatchObject({
        code: 404,
      }),
    );
  });

  it('nobody may ask for more than the configuration allows', async () => {
    const { server, ca } = connection;
    const transport = createHttpsTransport({ server, ...(ca ? { ca } : {}) });
    expect(await transport.raw('/livez')).toBe('ok');
    await expect(transport.raw('/version')).rejects.toMatchObject({ code: 401 });
    await transport.close();
  });

  it('the audit log tells, with what was sent and answered', async () => {
    await admin.for(configmaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'told', namespace: 'default' },
      data: { a: 'b' },
    });
    const event = await eventually(() => {
      const events = readFileSync(auditLog(), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { readonly objectRef: { readonly name?: string } });
      const found = events.find(({ objectRef }) => objectRef.name === 'told');
      expect(found).toBeDefined();
      return found;
    });
    expect(event).toMatchObject({
      level: 'RequestResponse',
      stage: 'ResponseComplete',
      verb: 'create',
      user: { username: 'kubernetes-admin' },
      requestObject: { kind: 'ConfigMap', data: { a: 'b' } },
      responseObject: { metadata: { name: 'told', uid: expect.any(String) } },
      responseStatus: { code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    });
  });

  it('the audit log tells of deletions', async () => {
    await admin.for(configmaps).delete({ name: 'told', namespace: 'default' });
    const status = await eventually(() => {
      const found = readFileSync(auditLog(), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { readonly verb: string; readonly responseStatus?: object })
        .find(({ verb }) => verb === 'delete');
      expect(found?.responseStatus).toBeDefined();
      return found?.responseStatus;
    });
    expect(status).toMatchObject({
      status: 'Success',
      details: { name: 'told', kind: 'configmaps' },
      code: 200,
    });
  });

  it('the metrics count', async () => {
    const text = String(await admin.transport.raw('/metrics'));
    expect(text).toMatch(
      /^apiserver_request_total\{verb="POST",dry_run="",group="",version="v1",resource="configmaps",.*code="201".*\} [1-9]/m,
    );
    for (const name of [
      'apiserver_storage_objects{resource="configmaps"}',
      'apiserver_admission_step_admission_duration_seconds_count',
      'etcd_request_duration_seconds_count',
      'authentication_attempts{result="error"}',
      'workqueue_depth{name="serviceaccount-token-controller"}',
      'process_resident_memory_bytes',
    ])
      expect(text).toContain(`\n${name}`);
  });
});
