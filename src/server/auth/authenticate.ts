import type { IncomingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../api/resource.ts';
import { newBadRequest, newForbidden, newUnauthorized } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { Authorizer } from './authorizer.ts';
import type { ServiceAccountTokens, TokenReferences } from './service-account-token.ts';

/** The subject of a verified client certificate, as `tls.PeerCertificate` has it. */
export interface CertificateSubject {
  readonly CN?: string | string[];
  readonly O?: string | string[];
}

/** What a request shows of who sent it. */
export interface RequestCredentials {
  readonly headers: IncomingHttpHeaders;
  /** Present only when the client's certificate was signed by the cluster's authority. */
  readonly certificate?: CertificateSubject;
}

export interface AuthenticatorOptions {
  readonly tokens: ServiceAccountTokens;
  readonly references: TokenReferences;
  readonly authorizer: Authorizer;
}

export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * Establishes who sends a request: a client certificate (common name is the user, organisations are the groups), a
 * service-account token, else nobody. Then applies impersonation headers, which the sender must be allowed to use.
 * Throws `StatusError` 401 for a bearer token that is not valid.
 */
export function createAuthenticator(
  options: AuthenticatorOptions,
): (credentials: RequestCredentials) => UserInfo {
  return (credentials) =>
    impersonated(identify(credentials, options), credentials.headers, options.authorizer);
}

function identify(
  { headers, certificate }: RequestCredentials,
  { tokens, references }: AuthenticatorOptions,
): UserInfo {
  const authorization = headers.authorization;
  const name = first(certificate?.CN);
  if (name) return { name, groups: [...all(certificate?.O), 'system:authenticated'] };
  if (!authorization) return anonymous;
  const token = /^bearer (\S+)$/i.exec(authorization.trim())?.[1];
  if (token === undefined) return anonymous;
  const result = tokens.authenticate(token, tokens.apiAudiences, references);
  if (!result || 'error' in result) throw newUnauthorized();
  return result.user;
}

/** `Impersonate-User`, `-Group`, `-Uid` and `-Extra-…`, each checked as the verb `impersonate` (upstream's impersonation filter). */
function impersonated(user: UserInfo, headers: IncomingHttpHeaders, authorizer: Authorizer): UserInfo {
  const name = first(headers['impersonate-user']);
  const groups = all(headers['impersonate-group'])
    .flatMap((value) => value.split(','))
    .map((value) => value.trim());
  const uid = first(headers['impersonate-uid']);
  const extra = Object.entries(headers).filter(([header]) => header.startsWith('impersonate-extra-'));
  if (name === undefined) {
    if (groups.length === 0 && uid === undefined && extra.length === 0) return user;
    const listed =
      groups.length === 0
        ? '[]string(nil)'
        : `[]string{${groups.map((group) => JSON.stringify(group)).join(', ')}}`;
    throw newBadRequest(
      `requested &user.DefaultInfo{Name:"", UID:${JSON.stringify(uid ?? '')}, Groups:${listed}, Extra:map[string][]string(nil)} without impersonating a user name`,
    );
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  if (account)
    check({ group: '', resource: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' });
  else check({ group: '', resource: 'users', name });
  for (const group of groups) check({ group: '', resource: 'groups', name: group });
  if (uid !== undefined) check({ group: 'authentication.k8s.io', resource: 'uids', name: uid });
  const extras: Record<string, readonly string[]> = {};
  for (const [header, value] of extra) {
    const key = decodeURIComponent(header.slice('impersonate-extra-'.length));
    // Node.js joins headers that are sent several times.
    const values = all(value).flatMap((joined) => joined.split(', '));
    for (const one of values)
      check({ group: 'authentication.k8s.io', resource: 'userextras', subresource: key, name: one });
    extras[key] = values;
  }
  const accountGroups = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [];
  const chosen = groups.length > 0 ? groups : accountGroups;
  const standing = name === anonymous.name ? 'system:unauthenticated' : 'system:authenticated';
  return {
    name,
    groups: chosen.includes(standing) ? chosen : [...chosen, standing],
    ...(uid !== undefined && { uid }),
    ...(extra.length > 0 && { extra: extras }),
  };

  function check(what: {
    group: string;
    resource: string;
    name: string;
    namespace?: string;
    subresource?: string;
  }): void {
    if (authorizer.authorize(user, { verb: 'impersonate', ...what }).allowed) return;
    const resource = what.subresource ? `${what.resource}/${what.subresource}` : what.resource;
    const scope = what.namespace ? `in the namespace "${what.namespace}"` : 'at the cluster scope';
    const { status } = newForbidden(
      { group: what.group, resource: what.resource },
      what.name,
      `User "${user.name}" cannot impersonate resource "${resource}" in API group "${what.group}" ${scope}`,
    );
    throw new StatusError(status);
  }
}

function all(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return all(value)[0];
}
