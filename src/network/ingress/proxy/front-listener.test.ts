import { generateKeyPairSync } from 'node:crypto';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  issueAuthority,
  issueCertificate,
  type Authority,
} from '../../../machinery/x509/issue-certificate.ts';
import { writeAlternativeNames, writeName } from '../../../machinery/x509/write-names.ts';
import { startProxyLab, type ProxyLab } from './proxy-lab.ts';
import type { ProxyCertificate } from './proxy-configuration.ts';

let lab: ProxyLab;
beforeEach(async () => {
  lab = await startProxyLab();
});
afterEach(() => lab.close());

const times = { notBefore: Date.parse('2026-01-01'), notAfter: Date.parse('2046-01-01') };
const authority = makeAuthority();

function makeAuthority(): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    cert: issueAuthority({ subject: writeName([['CN', 'test']]), publicKey: der, key, ...times }),
    key,
  };
}

function certificate(name: string, hosts: readonly string[], type: 'ec' | 'rsa' = 'ec'): ProxyCertificate {
  const { privateKey, publicKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const cert = issueCertificate(authority, {
    request: {
      subject: writeName([['CN', name]]),
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      alternativeNames: writeAlternativeNames([name], []),
    },
    usages: ['server auth'],
    ...times,
  });
  return { hosts, cert, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

function shown(port: number, servername: string | undefined, alpn?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ...(servername !== undefined && { servername }),
      ...(alpn !== undefined && { ALPNProtocols: [alpn] }),
    });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(`${String(socket.getPeerCertificate().subject.CN)} ${String(socket.alpnProtocol)}`);
      socket.destroy();
    });
  });
}

it('shows the certificate that is for the name, as it is now', async () => {
  const fallback = certificate('fallback', []);
  const serve = (...certificates: readonly ProxyCertificate[]): Promise<number> =>
    lab.serve([{}], { tls: { certificates: [...certificates, fallback] } });
  const port = await serve(certificate('a.example', ['a.example']));
  expect(await shown(port, 'a.example', 'h2')).toBe('a.example h2');
  expect(await shown(port, 'b.example', 'http/1.1')).toBe('fallback http/1.1');
  expect(await shown(port, undefined)).toBe('fallback false');
  await serve(
    certificate('b.example', ['b.example']),
    certificate('star', ['*.example']),
    certificate('deep', ['**.deep.example']),
  );
  expect(await shown(port, 'b.example')).toBe('b.example false');
  expect(await shown(port, 'a.example')).toBe('star false');
  expect(await shown(port, 'x.y.deep.example')).toBe('deep false');
  await serve(certificate('rsa', ['a.example'], 'rsa'), certificate('renewed', ['b.example']));
  expect(await shown(port, 'a.example')).toBe('rsa false');
  expect(await shown(port, undefined)).toBe('fallback false');
  expect(await shown(port, 'b.example')).toBe('renewed false');
});
