import type { IncomingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../api/resource.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';
import type { CertificateSubject, Identity, RequestCredentials } from '../auth/authenticate.ts';
import type { Attributes, Authorizer } from '../auth/authorizer.ts';
import type { FrontProxies } from '../auth/front-proxy.ts';
import type { Impersonated } from '../auth/impersonation.ts';
import { notAllowed } from '../authorize-request.ts';
import { clientCertificate } from './client-certificate.ts';
import type { HttpRequest } from './exchange.ts';
import type { RequestHold } from './request-hold.ts';
import { requestInfo, type RequestInfo } from './request-info.ts';
import type { RequestObserver, RequestRecord } from './request-record.ts';

/** What establishing a request needs of the server. */
export interface EstablishParts {
  readonly authorizer: Authorizer;
  /** Who sends a request; at once unless somebody else has to be asked. Throws 401. */
  authenticate(credentials: RequestCredentials): Identity | Promise<Identity>;
  /** Whom the sender acts as, by the request's headers. Throws 403. */
  impersonate(
    requester: UserInfo,
    headers: IncomingHttpHeaders,
    attributes: Attributes,
  ): Impersonated | undefined;
  /** Who may ask on behalf of others; absent: nobody. */
  readonly frontProxies?: FrontProxies;
  readonly observer: Required<RequestObserver>;
  readonly filters: FilterTimer;
}

/** What a request passes before it is served, by upstream's names. */
export type Filter = 'authentication' | 'audit' | 'impersonation' | 'priorityandfairness' | 'authorization';

/** Hears how long requests spend in filters. */
export interface FilterTimer {
  /** The time now, in milliseconds on a clock of its own. */
  begin(): number;
  /** A request has passed a filter that it entered at `since`; the time now. */
  passed(filter: Filter, since: number): number;
}

/** A request whose sender may do what it asks. */
export interface Parsed {
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
}

/** What is noted of a request while it is established. */
export interface Noting {
  readonly warnings: Set<string>;
  readonly record: RequestRecord;
  /** Absent for connections. */
  readonly hold?: RequestHold;
}

/** Authenticates, takes the URL apart and authorises. Throws `StatusError`. */
export async function establishRequest(
  parts: EstablishParts,
  request: HttpRequest,
  { warnings, record, hold }: Noting,
): Promise<Parsed> {
  const { filters } = parts;
  let since = filters.begin();
  const certificate = clientCertificate(request, parts.frontProxies);
  const { headers } = request;
  const path = pathOf(request);
  const established =
    proxiedUser(parts, certificate, headers) ??
    parts.authenticate({ headers, path, ...shownCertificate(certificate) });
  const identity = established instanceof Promise ? await established : established;
  since = filters.passed('authentication', since);
  if (identity.warning !== undefined) warnings.add(identity.warning);
  const target = request.url ?? '/';
  const question = target.indexOf('?');
  const query = queryOf(question < 0 ? '' : target.slice(question + 1));
  let info: RequestInfo;
  try {
    info = requestInfo(request.method ?? 'GET', path, query);
  } catch (error) {
    if (error instanceof URIError) throw newBadRequest('invalid URL escape');
    throw error;
  }
  record.info = info;
  record.requester = identity.user;
  for (const [key, value] of Object.entries(identity.auditAnnotations ?? {}))
    record.annotations.set(key, value);
  parts.observer.received(record);
  since = filters.passed('audit', since);
  const attributes = attributesOf(info, query);
  record.impersonated = parts.impersonate(identity.user, headers, attributes);
  since = filters.passed('impersonation', since);
  const user = record.impersonated?.user ?? identity.user;
  const entering = hold?.enter({ user, info, query });
  if (entering) await entering;
  if (hold) since = filters.passed('priorityandfairness', since);
  const decision = parts.authorizer.authorize(user, attributes);
  filters.passed('authorization', since);
  record.decision = decision;
  if (!decision.allowed) throw notAllowed(user, attributes, decision.reason);
  return { info, query, user };
}

/** The request's path, as it was sent. */
export function pathOf({ url = '/' }: HttpRequest): string {
  return url.split('?', 1)[0] ?? '/';
}

/** Of a parameter that is given twice the first one counts. */
export function firstValues(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].toReversed());
}

/** Parameters as Go reads them: one with a semicolon is none. */
function queryOf(text: string): URLSearchParams {
  const pairs = text.includes(';') ? text.split('&').filter((pair) => !pair.includes(';')) : [text];
  return new URLSearchParams(pairs.join('&'));
}

function attributesOf(info: RequestInfo, query: URLSearchParams): Attributes {
  if (!info.isResource) return { verb: info.verb, path: info.path };
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return {
    verb,
    group,
    version,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(verb === 'list' || verb === 'watch' || verb === 'deletecollection' ? selectorsOf(query) : {}),
  };
}

function selectorsOf(query: URLSearchParams): { fieldSelector?: string; labelSelector?: string } {
  const [fieldSelector, labelSelector] = [query.get('fieldSelector'), query.get('labelSelector')];
  return { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) };
}

type Shown = ReturnType<typeof clientCertificate>;

function proxiedUser(
  { frontProxies }: EstablishParts,
  certificate: Shown,
  headers: IncomingHttpHeaders,
): Identity | undefined {
  if (certificate === undefined || certificate === 'untrusted' || !certificate.isFrontProxy) return undefined;
  const user = frontProxies?.user([certificate.subject.CN].flat()[0], headers);
  return user && { user };
}

function shownCertificate(certificate: Shown): { certificate?: CertificateSubject | 'untrusted' } {
  if (!certificate) return {};
  // No authority of users signed a front proxy's.
  if (certificate === 'untrusted' || certificate.isFrontProxy) return { certificate: 'untrusted' };
  return { certificate: certificate.subject };
}
