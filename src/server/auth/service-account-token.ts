import { createHash, createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Secret } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { TokenResult } from './token-authenticator.ts';
import { checkLegacyToken, legacyIssuer, legacyPayload, type LegacyClaims } from './legacy-token.ts';

/** An object that a token is bound to: the token ends with it. */
export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node';
  readonly name: string;
  readonly uid: string;
}

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  /** Empty: the API server's own audience. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly bound?: BoundObject;
  /** The node of a bound pod. */
  readonly node?: { readonly name: string; readonly uid: string };
  /** The token lives a year; after `expirationSeconds` its use is told of (upstream's extended expiration). */
  readonly extended?: boolean;
}

const yearSeconds = 365 * 24 * 60 * 60;

/** Tokens whose signature is known to be good. */
const seenLimit = 4096;

/** The payload of a token as upstream writes it. */
interface Payload {
  readonly aud: readonly string[] | string;
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly iss: string;
  readonly jti: string;
  readonly sub: string;
  readonly 'kubernetes.io'?: {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
    readonly pod?: { readonly name: string; readonly uid: string };
    readonly secret?: { readonly name: string; readonly uid: string };
    readonly node?: { readonly name: string; readonly uid: string };
    readonly warnafter?: number;
  };
}

/** Answers whether what a token names still exists with this uid. */
export interface TokenReferences {
  exists(
    kind: 'ServiceAccount' | 'Pod' | 'Secret' | 'Node',
    ref: { readonly namespace: string; readonly name: string; readonly uid: string },
  ): boolean;
  /** The secret that holds a token without an end; undefined when it is gone or going. */
  tokenSecret(namespace: string, name: string): Secret | undefined;
  /** Whether the account lists the secret as one that was made for it. */
  listsSecret(namespace: string, account: string, secret: string): boolean;
  /** Hears that the token in a secret is in use. */
  used(secret: Secret): void;
}

export interface ServiceAccountTokensOptions {
  readonly issuer: string;
  /** Accepted and issued when no audience is asked for; the issuer by default. */
  readonly apiAudiences?: readonly string[];
  /** P-256 private key, PKCS #8 PEM. */
  readonly signingKey: string;
  readonly clock: Clock;
}

/** Issues and checks service-account tokens: JWTs (RFC 7519) signed with ES256, bound as KEP-1205 describes. */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly apiAudiences: readonly string[];
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #keyId: string;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Payload>();

  constructor(options: ServiceAccountTokensOptions) {
    this.issuer = options.issuer;
    this.apiAudiences = options.apiAudiences ?? [options.issuer];
    this.#private = createPrivateKey(options.signingKey);
    this.#public = createPublicKey(this.#private);
    this.#keyId = createHash('sha256')
      .update(this.#public.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    this.#clock = options.clock;
  }

  /** A signed token and when it ends, in milliseconds since the epoch. */
  issue(claims: TokenClaims): { readonly token: string; readonly expiresAt: number } {
    const now = Math.floor(this.#clock.now() / 1000);
    const asked = now + claims.expirationSeconds;
    const exp = claims.extended ? now + yearSeconds : asked;
    const { bound, node } = claims;
    const payload: Payload = {
      aud: claims.audiences.length > 0 ? claims.audiences : this.apiAudiences,
      exp,
      iat: now,
      iss: this.issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace: claims.namespace,
        ...(node && { node }),
        ...(bound && { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
        serviceaccount: claims.serviceAccount,
        ...(claims.extended && { warnafter: asked }),
      },
      nbf: now,
      sub: `system:serviceaccount:${claims.namespace}:${claims.serviceAccount.name}`,
    };
    return { token: this.#signed(payload), expiresAt: asked * 1000 };
  }

  /** A signed token that lives as long as the secret that holds it. */
  issueLegacy(claims: LegacyClaims): string {
    return this.#signed(legacyPayload(claims));
  }

  #signed(payload: object): string {
    const head = `${encoded({ alg: 'ES256', kid: this.#keyId })}.${encoded(payload)}`;
    const signature = sign('sha256', Buffer.from(head), { key: this.#private, dsaEncoding: 'ieee-p1363' });
    return `${head}.${signature.toString('base64url')}`;
  }

  /** The payload of a token that this key signed; each signature is checked once while the token is in use. */
  #verified(token: string): Payload | 'forged' | undefined {
    const known = this.#seen.get(token);
    if (known) return known;
    const [head, body, signature, ...rest] = token.split('.');
    if (!head || !body || !signature || rest.length > 0) return undefined;
    const payload = decoded(body);
    if (payload?.iss !== this.issuer && payload?.iss !== legacyIssuer) return undefined;
    const header = decoded(head) as { readonly alg?: string } | undefined;
    const valid =
      header?.alg === 'ES256' &&
      verify(
        'sha256',
        Buffer.from(`${head}.${body}`),
        { key: this.#public, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      );
    if (!valid) return 'forged';
    if (this.#seen.size >= seenLimit) this.#seen.clear();
    this.#seen.set(token, payload);
    return payload;
  }

  /** The user a token stands for, or why it stands for nobody. Not a token of this issuer: undefined. */
  authenticate(
    token: string,
    audiences: readonly string[],
    references: TokenReferences,
  ): TokenResult | undefined {
    const payload = this.#verified(token);
    if (payload === undefined) return undefined;
    if (payload === 'forged') return { error: 'go-jose/go-jose: error in cryptographic primitive' };
    if (payload.iss === legacyIssuer)
      return checkLegacyToken(token, payload, { references, audiences, own: this.apiAudiences });
    const now = this.#clock.now() / 1000;
    if (!(payload.exp > now)) return { error: 'service account token has expired' };
    if (payload.nbf > now + 60) return { error: 'service account token is not valid yet' };
    const carried = typeof payload.aud === 'string' ? [payload.aud] : payload.aud;
    const shared = carried.filter((audience) => audiences.includes(audience));
    if (shared.length === 0)
      return {
        error: `token audiences ${quotedList(carried)} is invalid for the target audiences ${quotedList(audiences)}`,
      };
    const claims = payload['kubernetes.io'];
    if (!claims) return { error: 'invalid bearer token' };
    const { namespace, serviceaccount, pod, secret, node, warnafter } = claims;
    if (!references.exists('ServiceAccount', { namespace, ...serviceaccount }))
      return { error: 'service account token has been invalidated' };
    if (pod && !references.exists('Pod', { namespace, ...pod }))
      return { error: 'service account token has been invalidated' };
    if (secret && !references.exists('Secret', { namespace, ...secret }))
      return { error: 'service account token has been invalidated' };
    if (node && !pod && !references.exists('Node', { namespace: '', ...node }))
      return { error: 'service account token has been invalidated' };
    const late = warnafter === undefined ? 0 : Math.floor(now - warnafter);
    return {
      audiences: shared,
      ...(late > 0 && {
        auditAnnotations: {
          'authentication.k8s.io/stale-token': `subject: ${payload.sub}, seconds after warning threshold: ${late}`,
        },
      }),
      user: {
        name: payload.sub,
        uid: serviceaccount.uid,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': [`JTI=${payload.jti}`],
          ...(node && {
            'authentication.kubernetes.io/node-name': [node.name],
            'authentication.kubernetes.io/node-uid': [node.uid],
          }),
          ...(pod && {
            'authentication.kubernetes.io/pod-name': [pod.name],
            'authentication.kubernetes.io/pod-uid': [pod.uid],
          }),
        },
      },
    };
  }

  /** The key set of `/openid/v1/jwks` (RFC 7517). */
  jwks(): object {
    const { kty, crv, x, y } = this.#public.export({ format: 'jwk' });
    return { keys: [{ use: 'sig', kty, kid: this.#keyId, crv, alg: 'ES256', x, y }] };
  }

  /** The document of `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0). */
  openidConfiguration(jwksUri: string): object {
    return {
      issuer: this.issuer,
      jwks_uri: jwksUri,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }
}

/** As Go prints a list of strings with `%q`. */
function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decoded(part: string): Payload | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Payload;
  } catch {
    return undefined;
  }
}
