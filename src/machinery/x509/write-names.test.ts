import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { issueAuthority, issueCertificate } from './issue-certificate.ts';
import { writeAlternativeNames, writeName } from './write-names.ts';

const from = Date.parse('2026-01-01T00:00:00Z');
const times = { notBefore: from, notAfter: from + 86_400_000 };
const { publicKey, privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

it('make an authority and certificates with the names that they are given', () => {
  const cert = issueAuthority({ subject: writeName([['CN', 'ours']]), publicKey, key: privateKey, ...times });
  const authority = new X509Certificate(cert);
  expect([authority.ca, authority.subject, authority.verify(authority.publicKey)]).toEqual([
    true,
    'CN=ours',
    true,
  ]);
  const names = {
    subject: [
      ['CN', 'ärger'],
      ['O', 'system:masters'],
    ] as const,
    dns: ['a.example', 'localhost'],
    ips: ['127.0.0.1', '::1', 'fd00:1::2:3', '1:2:3:4:5:6:7:8'],
  };
  const pem = issueCertificate(
    { cert, key: privateKey },
    {
      request: {
        subject: writeName(names.subject),
        publicKey,
        alternativeNames: writeAlternativeNames(names.dns, names.ips),
      },
      usages: ['digital signature', 'server auth'],
      ...times,
    },
  );
  const leaf = new X509Certificate(pem);
  expect(leaf.checkIssued(authority)).toBe(true);
  expect(leaf.subject).toBe('CN=ärger\nO=system:masters');
  expect(leaf.subjectAltName).toBe(
    'DNS:a.example, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FD00:1:0:0:0:0:2:3, IP Address:1:2:3:4:5:6:7:8',
  );
});
