import { createHmac } from 'node:crypto';
import type { Secret } from '../../api/core/v1.gen.ts';
import { msLeft, secretText, tokenType } from './token-secret.ts';

const prefix = 'jws-kubeconfig-';

/** The data of config map `cluster-info` with a signature of its kubeconfig by each token that is for signing, and no other. */
export function signedClusterInfo(
  data: Readonly<Record<string, string>>,
  secrets: readonly Secret[],
  now: number,
): Readonly<Record<string, string>> {
  const kept = Object.entries(data).filter(([key]) => !key.startsWith(prefix));
  const { kubeconfig } = data;
  if (kubeconfig === undefined) return Object.fromEntries(kept);
  const signatures = secrets
    .filter((secret) => maySign(secret, now))
    .map((secret): [string, string] => {
      const id = secretText(secret, 'token-id');
      return [
        `${prefix}${id}`,
        detachedSignature(kubeconfig, id, `${id}.${secretText(secret, 'token-secret')}`),
      ];
    });
  return Object.fromEntries([...kept, ...signatures]);
}

function maySign(secret: Secret, now: number): boolean {
  const left = msLeft(secret, now);
  return (
    secret.type === tokenType &&
    secret.metadata.name === `bootstrap-token-${secretText(secret, 'token-id')}` &&
    secretText(secret, 'token-secret') !== '' &&
    secretText(secret, 'usage-bootstrap-signing') === 'true' &&
    (left === undefined || left > 0)
  );
}

/** A compact JWS without its payload (RFC 7515, appendix F). */
function detachedSignature(content: string, keyId: string, key: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: keyId })).toString('base64url');
  const payload = Buffer.from(content).toString('base64url');
  const signature = createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url');
  return `${header}..${signature}`;
}
