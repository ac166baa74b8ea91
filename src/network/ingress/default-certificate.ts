import { generateKeyPairSync } from 'node:crypto';
import type { Authority } from '../../machinery/x509/issue-certificate.ts';
import { issueCertificate } from '../../machinery/x509/issue-certificate.ts';
import { writeAlternativeNames, writeName } from '../../machinery/x509/write-names.ts';
import type { ProxyCertificate } from './proxy/proxy-configuration.ts';

const yearMs = 365 * 86_400_000;

/** What clients are shown that ask for a host without a certificate: one of the cluster's authority, for `ingress.local`. */
export function defaultCertificate(authority: Authority, now: number): ProxyCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = issueCertificate(authority, {
    request: {
      subject: writeName([['CN', 'Kanoe Ingress Default Certificate']]),
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      alternativeNames: writeAlternativeNames(['ingress.local', 'localhost'], ['127.0.0.1']),
    },
    usages: ['digital signature', 'key encipherment', 'server auth'],
    notBefore: now - 3_600_000,
    notAfter: now + yearMs,
  });
  return { hosts: [], cert, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}
