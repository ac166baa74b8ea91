import type { IncomingHttpHeaders } from 'node:http';
import {
  aggregatedDiscovery,
  groupDocument,
  groupList,
  legacyVersions,
  resourceList,
  type AggregatedDocument,
  type ServedGroup,
} from '../discovery/discovery-documents.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { newNotAcceptable } from '../../machinery/status/errors.ts';
import { acceptClauses, mediaTypes, negotiate } from './negotiate.ts';
import { encodeProtobuf } from '../../machinery/protobuf/encode-protobuf.ts';
import { wrapEnvelope } from '../../machinery/protobuf/envelope.ts';
import { kubernetesSchema } from '../../machinery/schema/table.ts';
import { yamlOf } from './encode-answer.ts';
import type { Reply } from './exchange.ts';

/** A GET of a path that is no resource. */
export interface PathRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** Answers a path, or leaves it to the next route. Throws `StatusError`. */
export type PathRoute = (request: PathRequest) => Reply | undefined | Promise<Reply | undefined>;

/** One condition of being healthy. */
export interface HealthCheck {
  readonly name: string;
  /** Why the check fails; undefined when all is well. */
  failure(): string | undefined;
}

export interface PathRoutesOptions {
  /** What is served now. */
  groups(): readonly ServedGroup[];
  /** `host:port` under which clients reach the server. */
  serverAddress(): string;
  /** The document of `/version`. */
  readonly version: object;
  readonly healthChecks: readonly HealthCheck[];
  readonly readyChecks: readonly HealthCheck[];
  /** The key set of `/openid/v1/jwks`. */
  jwks(): object;
  openidConfiguration(): object;
  /** Further routes, tried first: OpenAPI. */
  readonly further: readonly PathRoute[];
}

/** A plain text answer. */
export function textReply(code: number, text: string): Reply {
  return {
    code,
    contentType: 'text/plain; charset=utf-8',
    body: Buffer.from(text),
    headers: { 'x-content-type-options': 'nosniff' },
  };
}

/** What unknown paths are answered with. */
export const notFoundReply: Reply = textReply(404, '404 page not found\n');

/** A document in the form that the client reads. */
export function documentReply(
  document: object,
  headers: IncomingHttpHeaders,
  available: readonly string[] = mediaTypes,
): Reply {
  const { mediaType } = negotiate(headers.accept, available);
  const json = Buffer.from(`${JSON.stringify(document)}\n`);
  return {
    code: 200,
    contentType: mediaType === 'application/yaml' ? mediaType : 'application/json',
    body: mediaType === 'application/yaml' ? yamlOf(json) : json,
  };
}

/** Throws the 406 of a client that does not take JSON. */
function jsonReply(document: object, { accept }: IncomingHttpHeaders): Reply {
  const clauses = acceptClauses(accept ?? '');
  const json = ['application/json', 'application/*', '*/*'];
  if (clauses.length > 0 && !clauses.some(({ mediaType }) => json.includes(mediaType))) {
    const message = '406: Not Acceptable\n\nAvailable representations: application/json';
    throw new StatusError({ ...newNotAcceptable([]).status, message, details: {} });
  }
  return {
    code: 200,
    contentType: 'application/json',
    body: Buffer.from(`${JSON.stringify(document, null, 2)}\n`),
  };
}

const aggregatedParams = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const protobuf = 'application/vnd.kubernetes.protobuf';

/** What the aggregated discovery document is written in. */
export type AggregatedType = 'application/json' | typeof protobuf;

/** The media type of the aggregated document, if the client prefers it over the plain one. */
export function wantsAggregated(headers: IncomingHttpHeaders): AggregatedType | undefined {
  for (const { mediaType, params } of acceptClauses(headers.accept ?? '')) {
    if (mediaType !== 'application/json' && mediaType !== protobuf && mediaType !== '*/*') continue;
    if (params['as'] === undefined) return undefined;
    if (
      params['as'] === 'APIGroupDiscoveryList' &&
      params['g'] === 'apidiscovery.k8s.io' &&
      params['v'] === 'v2'
    ) {
      return mediaType === '*/*' ? undefined : mediaType;
    }
  }
  return undefined;
}

function health(
  name: string,
  checks: readonly HealthCheck[],
  { path, query }: PathRequest,
): Reply | undefined {
  const rest = path.slice(`/${name}`.length).replace(/^\//, '');
  const excluded = new Set(query.getAll('exclude'));
  if (rest !== '') {
    const check = checks.find((one) => one.name === rest);
    if (!check) return undefined;
    const failure = check.failure();
    return failure === undefined
      ? textReply(200, 'ok')
      : textReply(500, `internal server error: ${failure}\n`);
  }
  const failed = checks.filter((check) => !excluded.has(check.name) && check.failure() !== undefined);
  const lines = checks.map((check) => {
    if (excluded.has(check.name)) return `[+]${check.name} excluded: ok`;
    return failed.includes(check) ? `[-]${check.name} failed: reason withheld` : `[+]${check.name} ok`;
  });
  const unknown = [...excluded].filter((one) => !checks.some((check) => check.name === one)).sort();
  if (unknown.length > 0) {
    const names = unknown.map((one) => JSON.stringify(one)).join(', ');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failed.length > 0) return textReply(500, `${lines.join('\n')}\n${name} check failed\n`);
  return textReply(200, query.has('verbose') ? `${lines.join('\n')}\n${name} check passed\n` : 'ok');
}

function discovery(options: PathRoutesOptions, request: PathRequest): Reply | undefined {
  const { path, headers } = request;
  const segments = path.split('/').filter((segment) => segment !== '');
  const [root, ...rest] = segments;
  const groups = options.groups();
  if (root === 'api') {
    const core = groups.find(({ name }) => name === '');
    if (!core) return undefined;
    if (rest.length === 0) {
      const type = wantsAggregated(headers);
      if (type) return aggregated([core], type);
      return documentReply(legacyVersions(options.serverAddress()), headers);
    }
    const list = rest.length === 1 ? resourceList(core, rest[0] ?? '') : undefined;
    return list && documentReply(list, headers);
  }
  if (root !== 'apis') return undefined;
  if (rest.length === 0) {
    const type = wantsAggregated(headers);
    if (type)
      return aggregated(
        groups.filter(({ name }) => name !== ''),
        type,
      );
    return documentReply(groupList(groups), headers, []);
  }
  const group = groups.find(({ name }) => name !== '' && name === rest[0]);
  if (!group) return undefined;
  if (rest.length === 1) return documentReply(groupDocument(group), headers, []);
  const list = rest.length === 2 ? resourceList(group, rest[1] ?? '') : undefined;
  return list && documentReply(list, headers);
}

function aggregated(groups: readonly ServedGroup[], type: AggregatedType): Reply {
  return aggregatedReply(aggregatedDiscovery(groups), type);
}

/** The aggregated discovery document in the form that the client prefers. */
export function aggregatedReply(document: AggregatedDocument, type: AggregatedType): Reply {
  const contentType = `${type}${aggregatedParams}`;
  if (type === 'application/json')
    return { code: 200, contentType, body: Buffer.from(`${JSON.stringify(document)}\n`) };
  const message = 'io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList';
  const { apiVersion, kind } = document;
  const raw = encodeProtobuf(document, { table: kubernetesSchema(), message });
  return { code: 200, contentType, body: wrapEnvelope({ apiVersion, kind, raw }) };
}

const routed = /^\/(version|api|api\/[^/]+|apis\/[^/]+\/[^/]+|openid\/v1\/jwks|\.well-known\/[^/]+)\/?$/;

/** Whether a path that is no resource answers a method: those of upstream's router take GET alone, its plain handlers any. */
export function isMethodServed(method: string, path: string): boolean {
  return method === 'GET' || !routed.test(path);
}

/** The paths of `/`, in order. */
export function rootPaths(
  options: Pick<PathRoutesOptions, 'groups' | 'healthChecks' | 'readyChecks'>,
): string[] {
  const paths = [
    '/.well-known/openid-configuration',
    '/api',
    '/apis',
    '/apis/',
    '/flagz',
    '/healthz',
    '/livez',
    '/metrics',
    '/metrics/slis',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/openid/v1/jwks',
    '/readyz',
    '/statusz',
    '/version',
  ];
  for (const { name, versions } of options.groups()) {
    if (name !== '') paths.push(`/apis/${name}`);
    for (const { version } of versions)
      paths.push(name === '' ? `/api/${version}` : `/apis/${name}/${version}`);
  }
  for (const check of options.healthChecks) paths.push(`/healthz/${check.name}`, `/livez/${check.name}`);
  for (const check of options.readyChecks) paths.push(`/readyz/${check.name}`);
  return [...new Set(paths)].sort();
}

/** Serves discovery, version, health and key paths. */
export function createPathRoutes(options: PathRoutesOptions): (request: PathRequest) => Promise<Reply> {
  return async (request) => {
    for (const route of options.further) {
      const reply = await route(request);
      if (reply) return reply;
    }
    return served(options, request) ?? notFoundReply;
  };
}

function served(options: PathRoutesOptions, request: PathRequest): Reply | undefined {
  const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path;
  switch (path.split('/')[1]) {
    case '':
    case 'index.html':
      if (path !== '/' && path !== '/index.html') return undefined;
      return documentReply({ paths: rootPaths(options) }, request.headers);
    case 'version':
      return path === '/version' ? jsonReply(options.version, request.headers) : undefined;
    case 'healthz':
      return health('healthz', options.healthChecks, { ...request, path });
    case 'livez':
      return health('livez', options.healthChecks, { ...request, path });
    case 'readyz':
      return health('readyz', options.readyChecks, { ...request, path });
    case 'api':
    case 'apis':
      return discovery(options, { ...request, path });
    default:
      if (path === '/openid/v1/jwks') return keyReply(options.jwks(), 'application/jwk-set+json');
      if (path === '/.well-known/openid-configuration')
        return keyReply(options.openidConfiguration(), 'application/json');
      return undefined;
  }
}

function keyReply(document: object, contentType: string): Reply {
  return { code: 200, contentType, body: Buffer.from(JSON.stringify(document)) };
}
