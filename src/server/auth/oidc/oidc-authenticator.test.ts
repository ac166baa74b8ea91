import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { parseAuthenticationConfiguration, type JwtIssuer } from './authentication-configuration.ts';
import { createClaimExpressions } from './claim-expressions.ts';
import { createOidcAuthenticator } from './oidc-authenticator.ts';

const url = 'https://issuer.example.com';
const audience = 'kanoe';

let key: CryptoKey;
let otherKey: CryptoKey;
let published: JWK[];

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const other = await generateKeyPair('ES256', { extractable: true });
  key = pair.privateKey;
  otherKey = other.privateKey;
  published = [
    { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' },
    { ...(await exportJWK(other.publicKey)), kid: 'two', alg: 'ES256' },
  ];
});

async function signed(claims: Record<string, unknown>, kid = 'one'): Promise<string> {
  return await new SignJWT({ iss: url, aud: audience, sub: 'jo', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setExpirationTime(typeof claims['exp'] === 'number' ? claims['exp'] : '5m')
    .sign(kid === 'one' ? key : otherKey);
}

function authenticate(
  mappings: Partial<JwtIssuer>,
  token: string,
  keys: () => readonly JWK[] = () => published,
): unknown {
  const authenticator = createOidcAuthenticator({
    configuration: {
      issuer: { url, audiences: [audience] },
      claimMappings: { username: { claim: 'sub', prefix: 'oidc:' } },
      ...mappings,
    },
    expressions: createClaimExpressions(),
    apiAudiences: ['api'],
    clock: systemClock,
    fetch: (asked) =>
      Promise.resolve(asked.endsWith('/keys') ? { keys: keys() } : { issuer: url, jwks_uri: `${url}/keys` }),
  });
  return authenticator.authenticate(token, ['api']);
}

describe('tokens of an OpenID Connect issuer', () => {
  it('name their user by claims with prefixes', async () => {
    const mappings = {
      claimMappings: {
        username: { claim: 'email', prefix: 'oidc:' },
        groups: { claim: 'groups', prefix: 'oidc:' },
        uid: { claim: 'sub' },
      },
    };
    const token = await signed({ email: 'jo@example.com', email_verified: true, groups: ['dev', 'ops'] });
    expect(await authenticate(mappings, token)).toEqual({
      audiences: ['api'],
      user: {
        name: 'oidc:jo@example.com',
        uid: 'jo',
        groups: ['oidc:dev', 'oidc:ops', 'system:authenticated'],
      },
    });
  });

  it('name their user by expressions', async () => {
    const mappings = {
      claimValidationRules: [{ expression: 'claims.level > 2', message: 'level is too low' }],
      claimMappings: {
        username: { expression: "claims.sub + '@' + claims.org" },
        groups: { expression: "claims.roles.map(role, 'team:' + role)" },
        extra: [{ key: 'example.com/level', valueExpression: 'string(claims.level)' }],
      },
      userValidationRules: [{ expression: "!user.username.startsWith('system:')" }],
    };
    const claims = { org: 'acme', level: 3, roles: ['a'] };
    expect(await authenticate(mappings, await signed(claims))).toEqual({
      audiences: ['api'],
      user: {
        name: 'jo@acme',
        groups: ['team:a', 'system:authenticated'],
        extra: { 'example.com/level': ['3'] },
      },
    });
    expect(await authenticate(mappings, await signed({ ...claims, level: 2 }))).toEqual({
      error: 'oidc: level is too low',
    });
  });

  it('of a key that the issuer does not publish are refused, and the issuer is not asked at once again', async () => {
    let asked = 0;
    const keys = (): readonly JWK[] => (asked++ === 0 ? published.slice(0, 1) : published);
    const token = await signed({}, 'two');
    expect(await authenticate({}, token, keys)).toEqual({
      error: expect.stringContaining('no applicable key'),
    });
    expect(asked).toBe(1);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another audience', { aud: 'other' }, 'oidc: verify token: unexpected "aud" claim value'],
    ['the past', { exp: 1 }, 'oidc: verify token: "exp" claim timestamp check failed'],
  ])('of %s are refused', async (_what, claims, error) => {
    expect(await authenticate({}, await signed(claims))).toEqual({ error });
  });

  it('of other issuers are not looked at', async () => {
    expect(authenticate({}, await signed({ iss: 'https://other' }))).toBeUndefined();
    expect(authenticate({}, 'abc')).toBeUndefined();
  });

  it('whose address is not verified are refused', async () => {
    const mappings = { claimMappings: { username: { claim: 'email', prefix: '' } } };
    const token = await signed({ email: 'jo@example.com', email_verified: false });
    expect(await authenticate(mappings, token)).toEqual({ error: 'oidc: email not verified' });
  });
});

it('says everything that is wrong with a configuration', () => {
  const text = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: "http://x", audiences: []}
  claimMappings: {username: {claim: sub}}
`;
  expect(() => parseAuthenticationConfiguration(text)).toThrow(
    [
      'jwt[0].issuer.url: Invalid value: "http://x": URL scheme must be https',
      'jwt[0].issuer.audiences: Required value: at least one jwt[].issuer.audiences is required',
      'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
    ].join('\n'),
  );
});
