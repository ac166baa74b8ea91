import type { JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../../base/clock.ts';
import type { TokenAuthenticator, TokenResult } from '../token-authenticator.ts';
import type { JwtIssuer } from './authentication-configuration.ts';
import type { ClaimExpressions } from './claim-expressions.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { createUserOfClaims, type Claims } from './user-of-claims.ts';

const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];

export interface OidcOptions {
  readonly configuration: JwtIssuer;
  readonly expressions: ClaimExpressions;
  readonly apiAudiences: readonly string[];
  readonly clock: Clock;
  fetch(url: string): Promise<unknown>;
}

/**
 * Tokens of one OpenID Connect issuer: signed with a key that the issuer publishes, meant for one of the audiences, not over.
 * The issuer is asked when the first token comes. Throws `CelCompileError`.
 */
export function createOidcAuthenticator(options: OidcOptions): TokenAuthenticator {
  const { configuration, expressions, apiAudiences, clock, fetch } = options;
  const { url, discoveryURL, audiences: accepted } = configuration.issuer;
  const userOf = createUserOfClaims(configuration, expressions);
  const keys = createIssuerKeys({
    url,
    clock,
    fetch,
    ...(discoveryURL ? { discoveryUrl: discoveryURL } : {}),
  });

  async function verify(token: string): Promise<Claims> {
    const { createLocalJWKSet, errors, jwtVerify } = await import('jose');
    const check = async (keySet: JWTVerifyGetKey): Promise<Claims> => {
      const { payload } = await jwtVerify(token, keySet, {
        issuer: url,
        audience: [...accepted],
        algorithms,
        currentDate: new Date(clock.now()),
      });
      return payload;
    };
    try {
      return await check(createLocalJWKSet(await keys.keys('known')));
    } catch (error) {
      const isStale =
        error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
      if (!isStale) throw error;
      return check(createLocalJWKSet(await keys.keys('refresh')));
    }
  }

  return {
    authenticate(token, audiences) {
      if (issuerOf(token) !== url) return undefined;
      const known = async (): Promise<TokenResult> => {
        try {
          const user = userOf(await verify(token));
          return { user, audiences: apiAudiences.filter((audience) => audiences.includes(audience)) };
        } catch (error) {
          const detail = error instanceof Error ? error.message : String(error);
          return { error: detail.startsWith('oidc: ') ? detail : `oidc: verify token: ${detail}` };
        }
      };
      return known();
    },
  };
}

/** The issuer that a token names, not yet verified. */
function issuerOf(token: string): unknown {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const payload = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString()) as {
      readonly iss?: unknown;
    } | null;
    return payload?.iss;
  } catch {
    return undefined;
  }
}
