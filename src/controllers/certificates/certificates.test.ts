import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certificatesigningrequests, type CertificateSigningRequest } from '../../api/certificates/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer } from '../../reconcile/test-server.ts';
import { csrApprovingController, planApprovals } from './approving-controller.ts';
import { isOutdated } from './cleaner-controller.ts';
import { csrSigningController, planSigning } from './signing-controller.ts';

function sample(name: string): string {
  return readFileSync(new URL(`../../machinery/x509/testdata/${name}`, import.meta.url), 'utf8');
}

type Spec = CertificateSigningRequest['spec'];
type Status = NonNullable<CertificateSigningRequest['status']>;

function request(file: string, spec: Partial<Spec>, status: Status = {}): Live<CertificateSigningRequest> {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'r', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      request: Buffer.from(sample(file)).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
      ...spec,
    },
    status,
  };
}

const serving: Partial<Spec> = {
  signerName: 'kubernetes.io/kubelet-serving',
  usages: ['digital signature', 'server auth'],
};

function condition(type: string): Status {
  return { conditions: [{ type, status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' }] };
}

describe('approval', () => {
  it.each<[string, CertificateSigningRequest, string[]]>([
    [
      'its own certificate',
      request('node-client.csr', { username: 'system:node:n1' }),
      ['selfnodeclient', 'nodeclient'],
    ],
    ['another user', request('node-client.csr', { username: 'joe' }), ['nodeclient']],
    ['names', request('node-serving.csr', { username: 'joe' }), []],
    ['other usages', request('node-client.csr', { usages: ['server auth'] }), []],
    ['another signer', request('node-serving.csr', serving), []],
    ['denied', request('node-client.csr', {}, condition('Denied')), []],
  ])('%s', (_name, object, permissions) => {
    expect(planApprovals(object).map(({ permission }) => permission)).toEqual(permissions);
  });
});

describe('signing', () => {
  const approved = condition('Approved');
  it.each<[string, CertificateSigningRequest, object]>([
    ['not approved', request('node-client.csr', {}), { action: 'none' }],
    ['approved', request('node-client.csr', {}, approved), { action: 'sign', durationMs: 31_536_000_000 }],
    [
      'short',
      request('node-client.csr', { expirationSeconds: 700 }, approved),
      { action: 'sign', durationMs: 700_000 },
    ],
    ['serving', request('node-serving.csr', serving, approved), { action: 'sign' }],
    [
      'serving without names',
      request('node-client.csr', serving, approved),
      { action: 'fail', message: 'DNS or IP subjectAltName is required' },
    ],
    [
      'foreign signer',
      request('node-client.csr', { signerName: 'example.com/x' }, approved),
      { action: 'none' },
    ],
  ])('%s', (_name, object, plan) => {
    expect(planSigning(object)).toMatchObject(plan);
  });
});

describe('cleaning', () => {
  const at = (text: string): number => Date.parse(text);
  it.each<[string, Live<CertificateSigningRequest>, string, boolean]>([
    ['pending for an hour', request('node-client.csr', {}), '2026-01-01T02:00:00Z', false],
    ['pending for two days', request('node-client.csr', {}), '2026-01-03T00:00:00Z', true],
    ['denied', request('node-client.csr', {}, condition('Denied')), '2026-01-01T01:00:01Z', true],
    ['just denied', request('node-client.csr', {}, condition('Denied')), '2026-01-01T00:59:00Z', false],
  ])('%s', (_name, object, now, outdated) => {
    expect(isOutdated(object, at(now))).toBe(outdated);
  });
});

describe('a kubelet of a real server', () => {
  it('gets its client certificate', async () => {
    const authority = { cert: sample('ca.crt'), key: sample('ca.key') };
    const server = await startTestServer([csrApprovingController, csrSigningController(authority)]);
    const requests = server.client.for(certificatesigningrequests);
    const { apiVersion, kind, spec } = request('node-client.csr', {});
    await requests.create({ apiVersion, kind, metadata: { name: 'kubelet' }, spec });
    const [signed] = await eventually(server.client, certificatesigningrequests, ([found]) =>
      Boolean(found?.status?.certificate),
    );
    const { certificate: encoded = '', conditions = [] } = signed?.status ?? {};
    const certificate = new X509Certificate(Buffer.from(encoded, 'base64'));
    expect(certificate.subject).toContain('CN=system:node:n1');
    expect(conditions.map(({ type, reason }) => [type, reason])).toEqual([['Approved', 'AutoApproved']]);
    await server.stop();
  });
});
