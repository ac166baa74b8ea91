import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../api/core/v1.gen.ts';
import { parseToken } from './bootstrap-token.ts';
import { verifiedKubeconfig } from './discover-cluster.ts';

const kubeconfig = 'clusters: []\n';
const token = parseToken('abcdef.0123456789abcdef');

function info(secret: string, signed: string = kubeconfig): ConfigMap {
  const header = Buffer.from('{"alg":"HS256","kid":"abcdef"}').toString('base64url');
  const payload = Buffer.from(signed).toString('base64url');
  const signature = createHmac('sha256', `abcdef.${secret}`)
    .update(`${header}.${payload}`)
    .digest('base64url');
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {},
    data: { kubeconfig, 'jws-kubeconfig-abcdef': `${header}..${signature}` },
  };
}

describe('what a cluster says of itself', () => {
  it('is believed when the token has signed it', () => {
    expect(verifiedKubeconfig(info('0123456789abcdef'), token)).toBe(kubeconfig);
  });

  it.each<[string, ConfigMap, string]>([
    ['by another secret', info('fedcba9876543210'), 'is not signed with the secret of token abcdef'],
    ['over another text', info('0123456789abcdef', 'clusters: [x]\n'), 'is not signed'],
    [
      'by nobody',
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { kubeconfig } },
      'knows no token abcdef',
    ],
  ])('is not believed when it is signed %s', (_, map, message) => {
    expect(() => verifiedKubeconfig(map, token)).toThrow(message);
  });
});

it.each(['abcdef', 'ABCDEF.0123456789abcdef', 'abcdef.0123'])('refuses %s as a token', (text) => {
  expect(() => parseToken(text)).toThrow('a token is six and sixteen');
});
