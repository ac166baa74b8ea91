import { flattenedVerify } from 'jose';
import { expect, it } from 'vitest';
import type { Secret } from '../../api/core/v1.gen.ts';
import { signedClusterInfo } from './cluster-info-signatures.ts';

const now = Date.UTC(2026, 0, 1);
const token = { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true' };

function secret(texts: Record<string, string>, name = `bootstrap-token-${texts['token-id'] ?? ''}`): Secret {
  const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(data) as Record<string, string>,
  };
}

it('signs the kubeconfig so that who holds the token can check it', async () => {
  const { 'jws-kubeconfig-abcdef': signature = '' } = signedClusterInfo(
    { kubeconfig: 'text' },
    [secret(token)],
    now,
  );
  const [header = '', payload, mark = ''] = signature.split('.');
  expect(payload).toBe('');
  const jws = { protected: header, payload: Buffer.from('text').toString('base64url'), signature: mark };
  const { protectedHeader } = await flattenedVerify(jws, Buffer.from('abcdef.0123456789abcdef'));
  expect(protectedHeader).toEqual({ alg: 'HS256', kid: 'abcdef' });
});

it.each<[string, Secret]>([
  ['is not for signing', secret({ ...token, 'usage-bootstrap-signing': 'no' })],
  ['is over', secret({ ...token, expiration: '2025-12-31T23:59:59Z' })],
  ['has another name', secret(token, 'bootstrap-token-zzzzzz')],
])('takes the signature of a token away that %s', (_why, held) => {
  const data = { kubeconfig: 'text', 'jws-kubeconfig-abcdef': 'old', other: 'kept' };
  expect(signedClusterInfo(data, [held], now)).toEqual({ kubeconfig: 'text', other: 'kept' });
});
