import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCertificateRequest } from './certificate-request.ts';
import { readDer, readOid, writeDer, writeOid } from './der.ts';
import { issueCertificate } from './issue-certificate.ts';
import { readPem, writePem } from './pem.ts';

function sample(name: string): string {
  return readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8');
}

describe('certificate requests', () => {
  it.each([
    ['node-client.csr', [], 0],
    ['node-serving.csr', ['n1'], 1],
    ['node-serving-rsa.csr', ['n1'], 1],
  ])('%s is read and its signature checked', (file, dnsNames, addresses) => {
    const request = parseCertificateRequest(sample(file));
    expect(request.commonName).toBe('system:node:n1');
    expect(request.organizations).toEqual(['system:nodes']);
    expect(request.dnsNames).toEqual(dnsNames);
    expect(request.ipAddresses).toHaveLength(addresses);
  });

  it('says what is wrong', () => {
    const [block] = readPem(sample('node-client.csr'));
    const bytes = Buffer.from(block?.bytes ?? []);
    const tampered = Buffer.from(bytes);
    const at = tampered.indexOf('n1');
    tampered.write('n2', at);
    const pem = (type: string, content: Buffer): string => writePem(type, content);
    expect(() => parseCertificateRequest('abc')).toThrow('PEM block type must be CERTIFICATE REQUEST');
    expect(() => parseCertificateRequest(pem('CERTIFICATE', bytes))).toThrow('PEM block type');
    expect(() => parseCertificateRequest(pem('CERTIFICATE REQUEST', bytes.subarray(0, 40)))).toThrow(
      'data truncated',
    );
    expect(() => parseCertificateRequest(pem('CERTIFICATE REQUEST', tampered))).toThrow(
      'x509: ECDSA verification failure',
    );
  });
});

describe('certificates', () => {
  const authority = { cert: sample('ca.crt'), key: sample('ca.key') };
  const from = Date.parse('2026-01-01T00:00:00Z');

  it('are what the request asks for, signed by the authority', () => {
    const request = parseCertificateRequest(sample('node-serving.csr'));
    const usages = ['digital signature', 'key encipherment', 'server auth'];
    const pem = issueCertificate(authority, { request, usages, notBefore: from, notAfter: from + 3_600_000 });
    const certificate = new X509Certificate(pem);
    expect(certificate.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(authority.cert))).toBe(true);
    expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:n1');
    expect(certificate.subjectAltName).toBe('DNS:n1, IP Address:10.0.0.1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(3_600_000);
  });

  it('do not outlive the authority', () => {
    const request = parseCertificateRequest(sample('node-client.csr'));
    const notAfter = Date.parse('9000-01-01T00:00:00Z');
    const pem = issueCertificate(authority, { request, usages: ['client auth'], notBefore: from, notAfter });
    expect(new X509Certificate(pem).validTo).toBe(new X509Certificate(authority.cert).validTo);
  });
});

describe('DER', () => {
  it.each(['2.5.29.17', '1.2.840.113549.1.1.11', '1.3.101.112', '2.16.840.1.113730.4.1'])(
    'keeps %s',
    (oid) => {
      expect(readOid(readDer(writeOid(oid)))).toBe(oid);
    },
  );

  it.each([0, 127, 128, 255, 256, 70_000])('keeps %i bytes', (length) => {
    const element = readDer(writeDer(4, Buffer.alloc(length, 7)));
    expect(element.content).toHaveLength(length);
  });
});
