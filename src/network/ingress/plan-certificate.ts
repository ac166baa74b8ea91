import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { Secret } from '../../api/core/v1.gen.ts';

/** What a listener shows to its clients, or why a Secret does not give it. */
export type CertificatePlan = { readonly cert: string; readonly key: string } | { readonly problem: string };

const known = new WeakMap<Secret, CertificatePlan>();

/** Reads `tls.crt` and `tls.key` of a Secret and checks that they belong together. */
export function planCertificate(secret: Secret): CertificatePlan {
  let plan = known.get(secret);
  if (!plan) known.set(secret, (plan = read(secret)));
  return plan;
}

function read({ data = {} }: Secret): CertificatePlan {
  const { 'tls.crt': cert = '', 'tls.key': key = '' } = data;
  if (cert === '' || key === '') return { problem: 'it has no tls.crt or no tls.key' };
  const pair = { cert: Buffer.from(cert, 'base64').toString(), key: Buffer.from(key, 'base64').toString() };
  try {
    const matches = new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key));
    return matches ? pair : { problem: 'its private key does not belong to its certificate' };
  } catch (error) {
    return { problem: `it cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}
