import type { Verb } from '../../machinery/transport.ts';

/** What a URL and a method ask for, as upstream's request info resolver takes them apart. */
export type RequestInfo = ResourceInfo | PathInfo;

/** A request about a resource, served or not. */
export interface ResourceInfo {
  readonly isResource: true;
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** Path segments behind the subresource. */
  readonly rest: readonly string[];
}

/** A request for a path that is no resource. */
export interface PathInfo {
  readonly isResource: false;
  /** The method in lower case. */
  readonly verb: string;
  readonly path: string;
}

const verbs: Readonly<Record<string, Verb>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  OPTIONS: '',
};

const namespaceSubresources = new Set(['status', 'finalize']);

/** The name that a field selector asks for, when it asks for one only. */
export function selectedName(fieldSelector: string): string | undefined {
  const match = /^(?:.*,)?metadata\.name==?([^,!=]+)(?:,.*)?$/.exec(fieldSelector);
  return match?.[1];
}

/** Takes a request apart. Segments are percent-decoded; throws `URIError` when one cannot be. */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const plain: PathInfo = { isResource: false, verb: method.toLowerCase(), path };
  const segments = path.split('/').filter((segment) => segment !== '');
  const [root] = segments;
  const start = root === 'api' ? 2 : root === 'apis' ? 3 : Number.POSITIVE_INFINITY;
  if (segments.length <= start) return plain;
  const mapped = verbs[method];
  if (mapped === undefined) return plain;
  const group = root === 'api' ? '' : (segments[1] ?? '');
  const version = segments[start - 1] ?? '';
  let parts = segments.slice(start).map(decodeURIComponent);
  let verb: Verb = mapped;
  const watched = parts[0] === 'watch' && parts.length > 1;
  if (watched) {
    parts = parts.slice(1);
    verb = 'watch';
  }
  let namespace: string | undefined;
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1];
    if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')) parts = parts.slice(2);
  }
  const [resource = '', name, subresource, ...rest] = parts;
  if (verb === '' && subresource !== 'proxy') return plain;
  const isNamespace = resource === 'namespaces';
  if (name === undefined && !watched) {
    if (verb === 'get') verb = isTrue(query.get('watch')) ? 'watch' : 'list';
    else if (verb === 'delete') verb = 'deletecollection';
  }
  const collection = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  return {
    isResource: true,
    verb,
    group,
    version,
    resource,
    subresource,
    namespace: isNamespace ? (name ?? namespace) : namespace,
    name: name ?? (collection ? selectedName(query.get('fieldSelector') ?? '') : undefined),
    rest,
  };
}

function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}
