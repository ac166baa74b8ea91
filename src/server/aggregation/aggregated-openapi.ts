import type { Clock } from '../../base/clock.ts';
import type { PathRequest, PathRoute } from '../http/path-routes.ts';
import type { Reply } from '../http/exchange.ts';
import { openapiV2Protobuf } from '../openapi/openapi-v2-protobuf.ts';
import type { JsonSchema } from '../openapi/definition.ts';
import { inSteps, wholeDocument, type Document } from '../openapi/kept-documents.ts';
import { openapiV2Json, type OpenapiV2 } from '../openapi/openapi-v2.ts';
import type { RemoteVersion } from './aggregator.ts';
import type { RemoteServer } from './remote-server.ts';

export interface AggregatedOpenapiOptions {
  readonly clock: Clock;
  /** The documents of what this server itself serves. */
  readonly local: PathRoute;
  remotes(): readonly RemoteVersion[];
}

interface Index {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}

const keptMs = 10_000;
const gnostic = 'application/com.github.proto-openapi.spec.v2';

/** An OpenAPI v2 document as it is sent. */
type WholeV2 = Omit<OpenapiV2, 'paths' | 'definitions'> &
  Readonly<Record<'paths' | 'definitions', Readonly<Record<string, JsonSchema>>>>;

/** `/openapi/v2` and `/openapi/v3` with the documents of other servers in them; as they are when there are none. */
export function aggregatedOpenapiRoute({ clock, local, remotes }: AggregatedOpenapiOptions): PathRoute {
  const known = new Map<string, { readonly at: number; readonly document: unknown }>();

  /** A document of another server, undefined when it has none; kept for some seconds. */
  async function fetched(server: RemoteServer, path: string): Promise<unknown> {
    const key = `${server.service.metadata.uid} ${path}`;
    const before = known.get(key);
    if (before && clock.monotonic() - before.at < keptMs) return before.document;
    let document: unknown;
    try {
      const { code, body } = await server.get(path);
      if (code === 200) document = JSON.parse(body.toString());
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
    known.set(key, { at: clock.monotonic(), document });
    return document;
  }

  const available = (): RemoteVersion[] => remotes().filter((remote) => remote.available);

  function answer({ body, etag }: Document, request: PathRequest, contentType: string): Reply {
    const headers = { etag, vary: 'Accept-Encoding, Accept' };
    if (request.headers['if-none-match'] === etag)
      return { code: 304, contentType, headers, body: Buffer.alloc(0) };
    return { code: 200, contentType, headers, body };
  }

  async function ownDocument(path: string): Promise<unknown> {
    const reply = await local({ path, query: new URLSearchParams(), headers: {} });
    return JSON.parse(reply?.body.toString() ?? '{}');
  }

  async function index(request: PathRequest): Promise<Reply> {
    const own = (await ownDocument('/openapi/v3')) as Index;
    const paths: Record<string, { serverRelativeURL: string }> = { ...own.paths };
    for (const { server } of available()) {
      const name = server.root.slice(1);
      const theirs = (await fetched(server, '/openapi/v3')) as Index | undefined;
      const found = theirs?.paths[name];
      if (found) paths[name] = found;
    }
    const sorted = Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
    return answer(wholeDocument(JSON.stringify({ paths: sorted })), request, 'text/plain; charset=utf-8');
  }

  /** Their paths of their own group, and the definitions that are not here already. */
  async function merged(request: PathRequest): Promise<Reply> {
    const own = (await ownDocument('/openapi/v2')) as WholeV2;
    let { paths, definitions } = own;
    for (const { server } of available()) {
      const theirs = (await fetched(server, '/openapi/v2')) as Partial<WholeV2> | undefined;
      const added = Object.entries(theirs?.paths ?? {}).filter(([path]) => path.startsWith(server.root));
      paths = { ...paths, ...Object.fromEntries(added) };
      definitions = { ...theirs?.definitions, ...definitions };
    }
    const document = { ...own, paths: Object.entries(paths), definitions: Object.entries(definitions) };
    if (request.headers.accept?.includes(gnostic))
      return answer(await inSteps(openapiV2Protobuf(document), clock), request, `${gnostic}.v1.0+protobuf`);
    return answer(await inSteps(openapiV2Json(document), clock), request, 'application/json');
  }

  async function theirDocument({ server }: RemoteVersion, request: PathRequest): Promise<Reply | undefined> {
    const document = await fetched(server, request.path);
    if (document === undefined) return undefined;
    return answer(wholeDocument(JSON.stringify(document)), request, 'application/json');
  }

  return (request) => {
    if (!request.path.startsWith('/openapi/') || available().length === 0) return local(request);
    const path = request.path.replace(/\/$/, '');
    if (path === '/openapi/v2') return merged(request);
    if (path === '/openapi/v3') return index(request);
    const remote = available().find(({ server }) => path === `/openapi/v3${server.root}`);
    return remote ? theirDocument(remote, request) : local(request);
  };
}
