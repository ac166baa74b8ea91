import type { IncomingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../api/resource.ts';
import { newUnauthorized } from '../../machinery/status/errors.ts';
import type { TokenVerdict } from './token-authenticator.ts';
import { websocketToken } from './websocket-token.ts';

/** The subject of a verified client certificate, as `tls.PeerCertificate` has it. */
export interface CertificateSubject {
  readonly CN?: string | string[];
  readonly O?: string | string[];
  /** Digest of the whole certificate, hexadecimal: which of its holder's credentials it is. */
  readonly sha256?: string;
  /** When it is no longer good, in milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** What a request shows of who sent it. */
export interface RequestCredentials {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** The subject of the client's certificate, when it showed one; `untrusted` when the cluster's authority did not sign it. */
  readonly certificate?: CertificateSubject | 'untrusted';
}

/** Who sends a request, before any impersonation. */
export interface Identity {
  readonly user: UserInfo;
  readonly warning?: string;
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

export interface AuthenticatorOptions {
  /** What all token authenticators say of a bearer token. */
  authenticateToken(token: string): TokenVerdict | Promise<TokenVerdict>;
  /** Whether requests without credentials may be about this path. */
  allowsAnonymous(path: string): boolean;
}

export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * Establishes who sends a request: a client certificate (common name is the user, organisations are the groups), a bearer
 * token, else nobody. Throws (or rejects with) `StatusError` 401 for a token that is not valid, and for a certificate that is
 * not when there is no token either.
 */
export function createAuthenticator(
  options: AuthenticatorOptions,
): (credentials: RequestCredentials) => Identity | Promise<Identity> {
  const holders = new WeakMap<CertificateSubject, Identity>();
  return (credentials) => {
    const { headers, certificate, path } = credentials;
    const subject = certificate === 'untrusted' ? undefined : certificate;
    const holder = subject && (holders.get(subject) ?? holderOf(subject));
    if (holder) {
      holders.set(subject, holder);
      return holder;
    }
    const token = bearerToken(headers) ?? websocketToken(headers);
    if (token !== undefined) {
      const verdict = options.authenticateToken(token);
      return verdict instanceof Promise ? verdict.then(identityOf) : identityOf(verdict);
    }
    if (certificate === 'untrusted' || !options.allowsAnonymous(path)) throw newUnauthorized();
    return { user: anonymous };
  };
}

/** Who a certificate names; undefined when it names nobody. */
function holderOf({ CN, O, sha256 }: CertificateSubject): Identity | undefined {
  const name = first(CN);
  if (!name) return undefined;
  const extra = sha256 && {
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${sha256}`] },
  };
  return { user: { name, groups: [...all(O), 'system:authenticated'], ...extra } };
}

function identityOf(verdict: TokenVerdict): Identity {
  if ('errors' in verdict) throw newUnauthorized();
  return verdict;
}

function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^bearer (\S+)$/i.exec(headers.authorization?.trim() ?? '')?.[1];
}

function all(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return all(value)[0];
}
