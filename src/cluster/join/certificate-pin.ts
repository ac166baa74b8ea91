import { createHash, X509Certificate } from 'node:crypto';

/** The pin of an authority, as kubeadm gives it: the digest of its public key. */
export function certificatePin(pem: string): string {
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}
