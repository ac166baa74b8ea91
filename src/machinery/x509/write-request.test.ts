import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseCertificateRequest } from './certificate-request.ts';
import { writeCertificateRequest } from './write-request.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string;

it.each([
  { dns: [], ips: [] },
  { dns: ['one'], ips: ['10.0.0.1', 'fd00::1'] },
])('writes requests that can be read, with names $dns and addresses $ips', ({ dns, ips }) => {
  const subject = [
    ['O', 'system:nodes'],
    ['CN', 'system:node:one'],
  ] as const;
  const read = parseCertificateRequest(writeCertificateRequest({ subject, dns, ips }, key));
  expect(read).toMatchObject({
    commonName: 'system:node:one',
    organizations: ['system:nodes'],
    dnsNames: dns,
    emailAddresses: [],
    uris: [],
  });
  expect(read.ipAddresses).toHaveLength(ips.length);
});
