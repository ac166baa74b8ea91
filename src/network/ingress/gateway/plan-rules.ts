import { RE2JS } from 're2js';
import type { Service } from '../../../api/core/v1.gen.ts';
import type {
  HeaderChange,
  Mirror,
  PathChange,
  PathMatch,
  Route,
  RouteBackend,
  RouteFilters,
  RouteMatch,
  ValueMatch,
} from '../proxy/proxy-configuration.ts';
import { isSound } from '../proxy/header-list.ts';
import { portOf, upstreamName, type UpstreamRef } from '../service-upstream.ts';
import type {
  BackendRef,
  GrpcRoute,
  GrpcRouteMatch,
  HeaderMatch,
  HeaderModifier,
  HttpRoute,
  HttpRouteMatch,
  PathModifier,
  ReferenceGrant,
  RouteBackendRef,
  RouteFilter,
} from './gateway-api.ts';
import { condition, type PlannedCondition } from './plan-listeners.ts';
import { isGranted } from './reference-grants.ts';

export interface RuleWorld {
  readonly grants: readonly ReferenceGrant[];
  service(namespace: string, name: string): Service | undefined;
}

/** A route's rules, each match on its own. Their hosts are not known yet. */
export interface PlannedRules {
  readonly routes: readonly (Omit<Route, 'host'> & { readonly precedence: Precedence })[];
  readonly upstreams: readonly UpstreamRef[];
  readonly resolved: PlannedCondition;
  /** Why the route as a whole cannot be accepted. */
  readonly refused?: PlannedCondition;
}

/** Compared from left to right; the larger one goes first. */
export type Precedence = readonly number[];

interface Draft {
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly namespace: string;
  readonly world: RuleWorld;
  readonly upstreams: Map<string, UpstreamRef>;
  resolved: PlannedCondition | undefined;
  refused: PlannedCondition | undefined;
}

/** The rules of an HTTPRoute. */
export function planHttpRules({ metadata, spec }: HttpRoute, world: RuleWorld): PlannedRules {
  const draft = draftOf('HTTPRoute', metadata.namespace, world);
  const routes = (spec.rules ?? [{}]).flatMap(
    ({ matches = [], filters = [], backendRefs = [], timeouts }) => {
      const body = bodyOf(draft, filters, backendRefs);
      const limits = {
        requestTimeoutMs: durationMs(timeouts?.request),
        backendTimeoutMs: durationMs(timeouts?.backendRequest),
      };
      return (matches.length > 0 ? matches : [{}])
        .map((match) => httpMatch(draft, match))
        .filter((match) => hasPatterns(draft, match))
        .map((match) => ({
          name: nameOf(draft, metadata.name),
          match,
          ...body,
          ...limits,
          precedence: precedenceOf(match),
        }));
    },
  );
  return { routes, ...resultOf(draft) };
}

/** The rules of a GRPCRoute: methods are paths, and backends speak HTTP/2. */
export function planGrpcRules({ metadata, spec }: GrpcRoute, world: RuleWorld): PlannedRules {
  const draft = draftOf('GRPCRoute', metadata.namespace, world);
  const routes = (spec.rules ?? [{}]).flatMap(({ matches = [], filters = [], backendRefs = [] }) => {
    const body = bodyOf(draft, filters, backendRefs);
    return (matches.length > 0 ? matches : [{}])
      .map((match) => ({ match: grpcMatch(match), precedence: grpcPrecedence(match) }))
      .filter(({ match }) => hasPatterns(draft, match))
      .map((planned) => ({ name: nameOf(draft, metadata.name), ...body, ...planned }));
  });
  return { routes, ...resultOf(draft) };
}

function draftOf(kind: Draft['kind'], namespace: string | undefined, world: RuleWorld): Draft {
  const upstreams = new Map<string, UpstreamRef>();
  return {
    kind,
    namespace: namespace ?? 'default',
    world,
    upstreams,
    resolved: undefined,
    refused: undefined,
  };
}

function resultOf({ upstreams, resolved, refused }: Draft): Omit<PlannedRules, 'routes'> {
  return {
    upstreams: [...upstreams.values()],
    resolved: resolved ?? condition('ResolvedRefs', 'True', 'ResolvedRefs', 'all references are resolved'),
    ...(refused && { refused }),
  };
}

function nameOf({ kind, namespace }: Draft, name: string | undefined): string {
  return `${kind}/${namespace}/${name}`;
}

function refuse(draft: Draft, message: string): void {
  draft.refused ??= condition('Accepted', 'False', 'UnsupportedValue', message);
}

function bodyOf(
  draft: Draft,
  filters: readonly RouteFilter[],
  backendRefs: readonly RouteBackendRef[],
): Pick<Route, 'filters' | 'backends'> {
  const planned = filtersOf(draft, filters);
  if (!planned) return { filters: {}, backends: [{ weight: 1, status: 500 }] };
  return { filters: planned, backends: backendRefs.map((ref) => backendOf(draft, ref)) };
}

function backendOf(draft: Draft, ref: RouteBackendRef): RouteBackend {
  const { weight = 1, filters = [] } = ref;
  const upstream = upstreamOf(draft, ref);
  const own = filtersOf(draft, filters);
  if (upstream === undefined || !own) return { weight, status: 500 };
  const { requestHeaders, responseHeaders, mirrors } = own;
  return {
    upstream,
    weight,
    ...(requestHeaders && { requestHeaders }),
    ...(responseHeaders && { responseHeaders }),
    ...(mirrors && { mirrors }),
  };
}

/** The upstream of a reference to a Service; undefined when it leads nowhere, which the route's `ResolvedRefs` tells. */
function upstreamOf(draft: Draft, ref: BackendRef): string | undefined {
  const { group = '', kind = 'Service', name, port } = ref;
  const namespace = ref.namespace ?? draft.namespace;
  const fail = (reason: string, message: string): undefined => {
    draft.resolved ??= condition('ResolvedRefs', 'False', reason, message);
    return undefined;
  };
  if (group !== '' || kind !== 'Service')
    return fail('InvalidKind', `backends are Services, not ${kind}${group === '' ? '' : `.${group}`}`);
  const granted = isGranted(draft.world.grants, {
    from: { kind: draft.kind, namespace: draft.namespace },
    to: { group, kind, namespace, name },
  });
  if (!granted)
    return fail(
      'RefNotPermitted',
      `no ReferenceGrant lets ${draft.kind}s of ${draft.namespace} refer to Service ${namespace}/${name}`,
    );
  const service = draft.world.service(namespace, name);
  if (!service) return fail('BackendNotFound', `there is no Service ${namespace}/${name}`);
  if (port === undefined || !portOf(service, port))
    return fail('BackendNotFound', `Service ${namespace}/${name} has no TCP port ${port ?? ''}`);
  if (service.spec?.type === 'ExternalName')
    return fail('UnsupportedProtocol', `Service ${namespace}/${name} is of type ExternalName`);
  const grpc = draft.kind === 'GRPCRoute' ? { grpc: true as const } : {};
  const target: UpstreamRef = { namespace, service: name, port, ...grpc };
  draft.upstreams.set(upstreamName(target), target);
  return upstreamName(target);
}

/** Undefined when one of them cannot be carried out: it must not be left out in silence. */
function filtersOf(draft: Draft, filters: readonly RouteFilter[]): RouteFilters | undefined {
  let planned: RouteFilters = {};
  for (const filter of filters) {
    const next = filterOf(draft, filter, planned);
    if (!next) {
      refuse(draft, `filters of type ${filter.type} are not supported`);
      return undefined;
    }
    const odd = oddIn(filter);
    if (odd !== undefined) {
      refuse(draft, `${odd} cannot be set by a filter`);
      return undefined;
    }
    planned = { ...planned, ...next };
  }
  return planned;
}

const framing = /^(?:connection|content-length|transfer-encoding|upgrade|te|trailer|keep-alive)$/i;

/** What a filter would write into a message that does not belong there, or makes another message of it. */
function oddIn({
  requestHeaderModifier,
  responseHeaderModifier,
  requestRedirect,
  urlRewrite,
}: RouteFilter): string | undefined {
  for (const { set = [], add = [] } of [requestHeaderModifier ?? {}, responseHeaderModifier ?? {}])
    for (const { name, value } of [...set, ...add]) {
      if (framing.test(name)) return `the header ${name}`;
      if (!isSound([name, value])) return `the value ${JSON.stringify(value)} of the header ${name}`;
    }
  for (const { path } of [requestRedirect ?? {}, urlRewrite ?? {}]) {
    const value = path?.replaceFullPath ?? path?.replacePrefixMatch ?? '';
    if (!/^[\x21-\x7e]*$/.test(value)) return `the path ${JSON.stringify(value)}`;
  }
  return undefined;
}

function filterOf(draft: Draft, filter: RouteFilter, before: RouteFilters): RouteFilters | undefined {
  const { cors, requestHeaderModifier, requestMirror, requestRedirect, responseHeaderModifier, urlRewrite } =
    filter;
  if (requestHeaderModifier) return { requestHeaders: headerChange(requestHeaderModifier) };
  if (responseHeaderModifier) return { responseHeaders: headerChange(responseHeaderModifier) };
  if (requestRedirect) {
    const { scheme, hostname, port, path, statusCode = 302 } = requestRedirect;
    return {
      redirect: {
        status: statusCode,
        ...(scheme !== undefined && { scheme: scheme.toLowerCase() }),
        ...(hostname !== undefined && { hostname }),
        ...(port !== undefined && { port }),
        ...(path && { path: pathChange(path) }),
      },
    };
  }
  if (urlRewrite) {
    const { hostname, path } = urlRewrite;
    return {
      rewrite: { ...(hostname !== undefined && { hostname }), ...(path && { path: pathChange(path) }) },
    };
  }
  if (requestMirror) {
    const upstream = upstreamOf(draft, requestMirror.backendRef);
    if (upstream === undefined) return {};
    const { fraction, percent } = requestMirror;
    const share = fraction ? fraction.numerator / (fraction.denominator ?? 100) : (percent ?? 100) / 100;
    const mirror: Mirror = { upstream, share };
    return { mirrors: [...(before.mirrors ?? []), mirror] };
  }
  if (cors)
    return {
      cors: {
        allowOrigins: cors.allowOrigins ?? [],
        allowMethods: cors.allowMethods ?? ['GET', 'HEAD', 'POST'],
        allowHeaders: cors.allowHeaders ?? [],
        exposeHeaders: cors.exposeHeaders ?? [],
        allowCredentials: cors.allowCredentials ?? false,
        maxAgeSeconds: cors.maxAge ?? 5,
      },
    };
  return undefined;
}

function headerChange({ set = [], add = [], remove = [] }: HeaderModifier): HeaderChange {
  return { set, add, remove };
}

function pathChange({ type, replaceFullPath = '/', replacePrefixMatch = '/' }: PathModifier): PathChange {
  return type === 'ReplaceFullPath'
    ? { kind: 'full', value: replaceFullPath }
    : { kind: 'prefix', value: replacePrefixMatch };
}

const pathKinds: Readonly<Record<string, PathMatch['kind']>> = {
  Exact: 'exact',
  PathPrefix: 'prefix',
  RegularExpression: 'regex',
};

function httpMatch(draft: Draft, { path, headers, queryParams, method }: HttpRouteMatch): RouteMatch {
  const kind = pathKinds[path?.type ?? 'PathPrefix'];
  if (!kind) refuse(draft, `paths of type ${path?.type} are not supported`);
  const value = path?.value ?? '/';
  return {
    path: { kind: kind ?? 'exact', value },
    ...(method !== undefined && { method }),
    ...(headers && { headers: distinct(headers, 'caseless').map((one) => valueMatch(one)) }),
    ...(queryParams && { query: distinct(queryParams, 'exact').map((one) => valueMatch(one)) }),
  };
}

function grpcMatch({ method, headers }: GrpcRouteMatch): RouteMatch {
  const path = grpcPath(method);
  return {
    ...(path && { path }),
    ...(headers && { headers: distinct(headers, 'caseless').map((one) => valueMatch(one)) }),
  };
}

function grpcPath(asked: GrpcRouteMatch['method']): PathMatch | undefined {
  const { type = 'Exact', service = '', method = '' } = asked ?? {};
  if (service === '' && method === '') return undefined;
  if (type === 'RegularExpression') {
    return { kind: 'regex', value: `/${service || '[^/]+'}/${method || '[^/]+'}` };
  }
  if (method === '') return { kind: 'prefix', value: `/${service}` };
  return service === ''
    ? { kind: 'regex', value: `/[^/]+/${RE2JS.quote(method)}` }
    : { kind: 'exact', value: `/${service}/${method}` };
}

/** Of several matches for one name the first counts. */
function distinct(matches: readonly HeaderMatch[], by: 'caseless' | 'exact'): readonly HeaderMatch[] {
  const names = matches.map(({ name }) => (by === 'caseless' ? name.toLowerCase() : name));
  return matches.filter((_, at) => names.indexOf(names[at] ?? '') === at);
}

function valueMatch({ type = 'Exact', name, value }: HeaderMatch): ValueMatch {
  if (type !== 'RegularExpression') return { name, kind: 'exact', value };
  return { name, kind: 'regex', value };
}

/** Whether all patterns of a match are such; a route with another is refused, and the match serves nobody. */
function hasPatterns(draft: Draft, { path, headers = [], query = [] }: RouteMatch): boolean {
  return [...(path ? [path] : []), ...headers, ...query].every(({ kind, value }) => {
    if (kind !== 'regex') return true;
    try {
      RE2JS.compile(value);
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      refuse(draft, `${JSON.stringify(value)} is no regular expression of RE2: ${why}`);
      return false;
    }
  });
}

/** Exact paths, then patterns and prefixes by length; then the method, then the number of headers and of query parameters. */
function precedenceOf({ path, method, headers = [], query = [] }: RouteMatch): Precedence {
  const kind = { exact: 2, regex: 1, prefix: 0 }[path?.kind ?? 'prefix'];
  return [kind, path?.value.length ?? 0, method === undefined ? 0 : 1, headers.length, query.length];
}

function grpcPrecedence({ method, headers = [] }: GrpcRouteMatch): Precedence {
  const { type = 'Exact', service = '', method: name = '' } = method ?? {};
  const kind = type === 'Exact' && service !== '' && name !== '' ? 2 : type === 'Exact' ? 0 : 1;
  return [kind, service.length, name.length, headers.length, 0];
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** A duration of GEP-2257 (`1h30m`, `500ms`); 0 when there is none. */
export function durationMs(text: string | undefined): number {
  let total = 0;
  for (const [, amount, unit] of (text ?? '').matchAll(/(\d+)(ms|h|m|s)/g))
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return total;
}
