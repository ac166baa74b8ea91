import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { encodeJsonBytes } from '../../machinery/json/encode.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import { YamlError } from '../../machinery/yaml/yaml-error.ts';
import {
  newBadRequest,
  newGenericServerResponse,
  newInternalError,
  newMethodNotAllowed,
  newNotAcceptable,
  newTimeout,
  newUnknownError,
} from '../../machinery/status/errors.ts';
import { requestPath } from '../../machinery/request-path.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { ApiRequest, PatchType } from '../../machinery/transport.ts';
import { admissionRequest } from '../registry/admission-request.ts';
import { connectOptions } from '../registry/connect-options.ts';
import type { ProxyAddress } from '../../api/resource.ts';
import { checkServed, handleResource } from '../registry/handle-resource.ts';
import { latestEntry } from '../registry/read.ts';
import {
  strategyContext,
  type Registry,
  type RequestBody,
  type RequestContext,
} from '../registry/request-context.ts';
import type { ResourceTable, ServedVersion } from '../registry/served-resource.ts';
import { planWatch } from '../registry/watch-objects.ts';
import {
  TunnelError,
  type NodeEndpoint,
  type NodeTunnel,
  type TunnelTarget,
} from '../streams/node-tunnel.ts';
import { acceptWebSocket, asksForWebSocket, offeredProtocols } from '../streams/web-socket.ts';
import {
  establishRequest,
  firstValues,
  pathOf,
  type EstablishParts,
  type Parsed,
} from './establish-request.ts';
import { encodeAnswer, yamlOf } from './encode-answer.ts';
import { send, warningHeaders, type HttpRequest, type HttpResponse, type Reply } from './exchange.ts';
import {
  bodyMediaType,
  mediaTypes,
  negotiate,
  streamMediaTypes,
  withoutProtobuf,
  type Negotiated,
} from './negotiate.ts';
import { isMethodServed, notFoundReply, type PathRequest } from './path-routes.ts';
import { protobufType, statusEnvelope } from './protobuf-body.ts';
import type { Aggregator } from '../aggregation/aggregator.ts';
import { relayRemote, upgradeRemote } from '../aggregation/relay-remote.ts';
import type { Bodies } from './read-body.ts';
import { isLongRunning } from './request-deadline.ts';
import { RefusedRequest } from './enter-flow.ts';
import { holdRequest } from './request-hold.ts';
import type { FlowController } from '../flow-control/flow-controller.ts';
import type { ResourceInfo } from './request-info.ts';
import { annotate, noteSuccess, recordDeprecation, recordReply, recordRequest } from './record-request.ts';
import type { RequestRecord } from './request-record.ts';
import { bodyObject } from './body-object.ts';
import { includeObject } from './table.ts';
import type { Turns } from './turns.ts';
import type { WatchObserver, WatchScope } from './watch-observer.ts';
import { sendWatch, type WatchResponseOptions } from './watch-response.ts';
import { httpSink } from './watch-sink.ts';
import { webSocketSink } from './websocket-watch.ts';

/** What serving HTTP needs of the server. */
export interface HandlerParts extends EstablishParts {
  readonly registry: Registry;
  readonly table: () => ResourceTable;
  paths(request: PathRequest): Promise<Reply>;
  /** Limits how much is served at once; absent: nothing does. */
  readonly flow?: FlowController;
  /** The servers of other groups; absent: there are none. */
  readonly aggregation?: { readonly aggregator: Aggregator; readonly tunnel: NodeTunnel };
  readonly tunnel: NodeTunnel | undefined;
  /** Where a node's kubelet endpoint listens; undefined when the node is unknown or has none. */
  resolveNode(name: string): NodeEndpoint | undefined;
  readonly signal: AbortSignal;
  /** Hears of watches of a resource. */
  watchObserver?(served: ServedVersion, scope: WatchScope): WatchObserver;
  readonly bodies: Bodies;
  /** In which large answers and events of watches are written. */
  readonly turns: Turns;
  /** A fault of ours, which the client sees as 500. */
  onFault(error: unknown): void;
}

/** An error as a reply, in the form the client reads. */
export function errorReply(parts: HandlerParts, request: HttpRequest, error: unknown): Reply {
  if (error instanceof RefusedRequest) return error.reply;
  if (!(error instanceof StatusError)) parts.onFault(error);
  const status =
    error instanceof StatusError
      ? error.status
      : newInternalError(error instanceof Error ? error.message : String(error)).status;
  const { reason, ...unreasoned } = status;
  const body = encodeJsonBytes(reason === '' ? unreasoned : status);
  const seconds = status.details?.retryAfterSeconds;
  const retry = seconds === undefined ? {} : { headers: { 'retry-after': String(seconds) } };
  let negotiated: Negotiated | undefined;
  try {
    negotiated = negotiate(request.headers.accept);
  } catch (refused) {
    if (!(refused instanceof StatusError)) throw refused;
  }
  if (negotiated?.mediaType === protobufType) {
    return {
      code: status.code,
      contentType: protobufType,
      body: statusEnvelope(status, parts.registry.schema),
      ...retry,
    };
  }
  const yaml = negotiated?.mediaType === 'application/yaml' && negotiated.shape === 'Object';
  return {
    code: status.code,
    contentType: yaml ? 'application/yaml' : 'application/json',
    body: yaml ? yamlOf(body) : body,
    ...retry,
  };
}

const spacedTokenWarning =
  'the provided Authorization header contains extra space before the bearer token, and is ignored';

/** Serves one request; every failure becomes an answer. */
export async function handleRequest(
  parts: HandlerParts,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const warnings = new Set<string>();
  const record = recordRequest(request, parts.registry.clock);
  parts.registry.large.arrived();
  response.setHeader('audit-id', record.auditId);
  const hold = holdRequest({
    clock: parts.registry.clock,
    flow: parts.flow,
    response,
    onLate() {
      const late = newTimeout('request did not complete within the allotted timeout');
      void send(request, response, errorReply(parts, request, late), parts.turns);
    },
  });
  try {
    const parsed = await establishRequest(parts, request, { warnings, record, hold });
    if (/^bearer  /i.test(request.headers.authorization ?? '')) warnings.add(spacedTokenWarning);
    const reply = await replyTo(parts, { request, response, parsed, warnings, record });
    if (!reply) {
      if (!record.isLongRunning) parts.observer.completed(record);
      return;
    }
    recordReply(record, reply);
    await send(request, response, withWarnings(reply, warnings), parts.turns);
  } catch (error) {
    const reply = errorReply(parts, request, error);
    record.isFault = !(error instanceof StatusError || error instanceof RefusedRequest);
    recordReply(record, reply, error instanceof StatusError ? error : undefined);
    await send(request, response, withWarnings(reply, warnings), parts.turns);
  } finally {
    hold.release();
    parts.bodies.drop(request);
  }
  if (!record.isLongRunning) parts.observer.completed(record);
}

function withWarnings(reply: Reply, warnings: ReadonlySet<string>): Reply {
  return warnings.size > 0
    ? { ...reply, headers: { ...reply.headers, warning: warningHeaders(warnings) } }
    : reply;
}

/** A stream: it has begun, and is complete when the connection is done with it. */
function recordStream(parts: HandlerParts, record: RequestRecord, response: HttpResponse): void {
  record.isLongRunning = true;
  record.response = { code: 200, size: 0 };
  parts.observer.started(record);
  response.once('close', () => parts.observer.completed(record));
}

interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly parsed: Parsed;
  readonly warnings: Set<string>;
  readonly record: RequestRecord;
}

async function replyTo(parts: HandlerParts, exchange: Exchange): Promise<Reply | undefined> {
  const { request, parsed } = exchange;
  const { info, query } = parsed;
  const remote = parts.aggregation?.aggregator.remoteOf(pathOf(request));
  if (remote && parts.aggregation) {
    const { response, record } = exchange;
    if (isLongRunning(info)) recordStream(parts, record, response);
    const reply = await relayRemote(parts.aggregation.tunnel, exchange, { remote, user: parsed.user });
    record.response ??= { code: response.statusCode, size: 0 };
    return reply;
  }
  if (!info.isResource) {
    const reply = await parts.paths({ path: info.path, query, headers: request.headers });
    if (reply !== notFoundReply && !isMethodServed(request.method ?? 'GET', info.path))
      throw newMethodNotAllowed();
    const group = /^\/apis\/([^/]+)/.exec(info.path)?.[1];
    if (reply === notFoundReply && group !== undefined && parts.table().hasGroup(group))
      throw newGenericServerResponse({ code: 404 });
    return reply;
  }
  const served = parts.table().get(info.group, info.version, info.resource);
  const known = parts.table().hasGroup(info.group);
  if (!known && info.verb === 'list')
    return parts.paths({ path: pathOf(request), query, headers: request.headers });
  if (!known) return notFoundReply;
  if (!served || (info.rest.length > 0 && info.subresource !== 'proxy')) {
    if (parts.table().isCustomGroup(info.group)) return notFoundReply;
    throw newGenericServerResponse({ code: 404 });
  }
  if (served.version.custom && !isInScope(info, served)) return notFoundReply;
  exchange.record.namespaced = served.type.namespaced;
  checkScope(info, served);
  return resourceReply(parts, exchange, { info, served });
}

/** Whether the path of a request about a custom resource fits its scope. */
function isInScope({ namespace, verb }: ResourceInfo, { type }: ServedVersion): boolean {
  if (!type.namespaced) return namespace === undefined;
  return namespace !== undefined || verb === 'list' || verb === 'watch';
}

/** Over all namespaces objects can be listed and watched; a cluster-scoped resource is not found in a namespace. */
function checkScope(info: ResourceInfo, served: ServedVersion): void {
  const inNamespace = info.namespace !== undefined && info.resource !== 'namespaces';
  if (!served.type.namespaced) {
    if (inNamespace) throw newGenericServerResponse({ code: 404 });
    return;
  }
  if (inNamespace || info.verb === 'list' || info.verb === 'watch') return;
  const collection = info.verb === 'create' || info.verb === 'deletecollection';
  const isCollection = collection || info.name === undefined;
  throw isCollection ? newMethodNotAllowed() : newGenericServerResponse({ code: 404 });
}

interface Target {
  readonly info: ResourceInfo;
  readonly served: ServedVersion;
}

async function resourceReply(
  parts: HandlerParts,
  exchange: Exchange,
  { info, served }: Target,
): Promise<Reply | undefined> {
  const { request, response, parsed, warnings, record } = exchange;
  const params = firstValues(parsed.query);
  record.params = params;
  const apiRequest = apiRequestOf(info, params, request);
  const context: RequestContext = {
    user: parsed.user,
    request: apiRequest,
    body: undefined,
    ...(request.headers['user-agent'] === undefined ? {} : { userAgent: request.headers['user-agent'] }),
    warn: (message) => warnings.add(message),
    annotate: (key, value) => annotate(record, key, value),
  };
  // Upstream's routes of built-in resources know no HEAD, those of custom ones and proxies do.
  if (request.method === 'HEAD' && !served.version.custom && info.subresource !== 'proxy')
    throw newMethodNotAllowed();
  checkServed(served, context);
  await served.resource.ready?.(apiRequest);
  if (served.version.deprecated !== undefined) {
    context.warn(served.version.deprecated);
    recordDeprecation(record, served.version.deprecated);
  }
  const subresource =
    info.subresource === undefined ? undefined : served.resource.definition.subresources?.[info.subresource];
  if (subresource?.connect || subresource?.proxy) {
    const target = await connectTarget(parts, served, { context, query: parsed.query, rest: info.rest });
    if (!target) return { code: 204, contentType: 'text/plain', body: Buffer.alloc(0) };
    recordStream(parts, record, response);
    await relay(parts, exchange, target);
    return undefined;
  }
  const collection = info.verb === 'list' || info.verb === 'watch';
  const custom = served.version.custom !== undefined;
  const negotiated = negotiate(
    custom ? withoutProtobuf(request.headers.accept) : request.headers.accept,
    collection ? [...mediaTypes, ...streamMediaTypes] : mediaTypes,
  );
  if (info.verb === 'watch') {
    if (negotiated.mediaType === 'application/yaml') throw newNotAcceptable(streamMediaTypes);
    const options = await watchOptions(parts, served, { context, negotiated, askedAt: record.startedAt });
    recordStream(parts, record, response);
    sendWatch(httpSink(response), options);
    return undefined;
  }
  const body = await bodyOf(request, info, parts.bodies);
  if (body === 'gone') return undefined;
  record.isApply = apiRequest.patchType === 'application/apply-patch+yaml';
  if (body?.type === 'bytes') {
    record.requestSize = body.bytes.length;
    await parts.registry.large.giveWay(body.bytes.length);
  }
  if (body) record.requestObject = () => bodyObject(body, served, { table: parts.registry.schema, info });
  const answer = await handleResource(parts.registry, served, { ...context, body });
  noteSuccess(record, answer);
  const now = parts.registry.clock.now();
  const table = parts.registry.schema;
  const encoded = encodeAnswer(answer, negotiated, { params, now, table, pretty: isPretty(request, params) });
  return { code: answer.type === 'list' ? 200 : answer.code, ...encoded };
}

interface WatchAsked {
  readonly context: RequestContext;
  readonly negotiated: Negotiated;
  /** On the monotonic clock. */
  readonly askedAt: number;
}

/** What a watch sends. Throws `StatusError`. */
async function watchOptions(
  parts: HandlerParts,
  served: ServedVersion,
  { context, negotiated, askedAt }: WatchAsked,
): Promise<WatchResponseOptions> {
  const { registry, signal, turns, onFault } = parts;
  const { params } = context.request;
  const include = negotiated.shape === 'Table' ? includeObject(params?.['includeObject']) : 'Metadata';
  const plan = await planWatch(registry, served, context);
  const { name, namespace } = context.request;
  const scope = name !== undefined ? 'resource' : namespace !== undefined ? 'namespace' : 'cluster';
  const observer = parts.watchObserver?.(served, scope);
  return {
    registry,
    served,
    plan,
    negotiated,
    include,
    turns,
    signal,
    onFault,
    askedAt,
    ...(observer ? { observer } : {}),
  };
}

function apiRequestOf(
  info: ResourceInfo,
  params: Readonly<Record<string, string>>,
  request: HttpRequest,
): ApiRequest {
  const { verb, group, version, resource, subresource, namespace, name } = info;
  // Upstream takes the options of a watch that only the path asks for as those of a list.
  const asked = verb === 'watch' && params['watch'] === undefined ? { ...params, watch: 'false' } : params;
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  return {
    verb,
    group,
    version,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    params: asked,
    ...(verb === 'patch' && mediaType !== undefined ? { patchType: mediaType as PatchType } : {}),
  };
}

/** `pretty`, or a client that a person reads the answers of. */
function isPretty(request: HttpRequest, params: Readonly<Record<string, string>>): boolean {
  const { pretty } = params;
  if (pretty !== undefined) return /^(1|t|true)$/i.test(pretty);
  return /^(curl|Wget|Mozilla)/.test(request.headers['user-agent'] ?? '');
}

/** Reads the body that the verb has. */
async function bodyOf(
  request: HttpRequest,
  info: ResourceInfo,
  bodies: Bodies,
): Promise<RequestBody | undefined | 'gone'> {
  if (['get', 'list', 'watch'].includes(info.verb)) return undefined;
  const header = request.headers['content-type'];
  if (info.verb === 'patch') {
    const bytes = await bodies.read(request);
    return bytes ? { type: 'bytes', bytes, mediaType: 'application/json' } : 'gone';
  }
  const bytes = await bodies.read(request);
  if (!bytes) return 'gone';
  const deletion = info.verb === 'delete' || info.verb === 'deletecollection';
  if (deletion && bytes.length === 0) return undefined;
  const mediaType = bodyMediaType(header);
  if (mediaType !== 'application/yaml') return { type: 'bytes', bytes, mediaType };
  try {
    return { type: 'object', ...parseYaml(bytes.toString()) };
  } catch (error) {
    if (error instanceof YamlError) throw newBadRequest(`error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

interface Connecting {
  readonly context: RequestContext;
  readonly query: URLSearchParams;
  /** Path segments behind the subresource. */
  readonly rest: readonly string[];
}

/** Asks admission about a connection; its options are the object. Throws `StatusError`. */
async function admitConnection(
  { registry }: HandlerParts,
  served: ServedVersion,
  { context, query }: Pick<Connecting, 'context' | 'query'>,
): Promise<void> {
  const { name = '', subresource = '' } = context.request;
  const kind = served.resource.definition.subresources?.[subresource]?.kind;
  if (!kind) throw newMethodNotAllowed();
  const schema = `io.k8s.api.${kind.group.split('.', 1)[0] || 'core'}.${kind.version}.${kind.kind}`;
  const admission = admissionRequest(registry, served, context, {
    operation: 'CONNECT',
    name,
    dryRun: false,
    object: connectOptions(registry.schema, { schema, kind }, query),
    body: { kind, schema },
  });
  await registry.admission.admit(admission);
  await registry.admission.validate(admission);
}

/** Where a connection goes; undefined when the object is on no node yet. Throws `StatusError`. */
async function connectTarget(
  parts: HandlerParts,
  served: ServedVersion,
  { context, query, rest }: Connecting,
): Promise<TunnelTarget | undefined> {
  const { registry } = parts;
  const { subresource = '' } = context.request;
  const definition = served.resource.definition.subresources?.[subresource];
  if (!definition?.connect && !definition?.proxy) throw newMethodNotAllowed();
  const { name, ...address } = proxyAddress(context.request.name ?? '', rest);
  const of = definition.proxy ? { ...context.request, name } : context.request;
  const entry = await latestEntry(registry, served, of);
  if (definition.verbs.includes('create')) await admitConnection(parts, served, { context, query });
  const parent = served.resource.cache.object(entry);
  const strategy = strategyContext(registry, context, false);
  const target = definition.proxy
    ? { ...(await definition.proxy(parent, address, strategy)), query }
    : await definition.connect?.(parent, query, strategy);
  if (!target) throw newMethodNotAllowed();
  const seenAt = definition.proxy && {
    seenAt: decodeURIComponent(requestPath({ ...context.request, subresource, params: {} })),
  };
  if (target.backend) {
    const { backend, path } = target;
    return { endpoint: backend, path, query, ...seenAt };
  }
  if (target.nodeName === '') return undefined;
  const endpoint = parts.resolveNode(target.nodeName);
  if (!endpoint || !parts.tunnel) {
    throw newUnknownError(
      `error dialing backend: node ${JSON.stringify(target.nodeName)} has no kubelet endpoint`,
    );
  }
  return { endpoint, path: target.path, query: target.query, ...seenAt };
}

/** Takes `[SCHEME:]NAME[:PORT]` apart, as upstream's `SplitSchemeNamePort` does. */
function proxyAddress(text: string, rest: readonly string[]): ProxyAddress & { readonly name: string } {
  const parts = text.split(':');
  const scheme = parts.length === 3 && parts[0] === 'https' ? 'https' : 'http';
  const [name = '', port = ''] = parts.length === 3 ? parts.slice(1) : parts;
  return { scheme, name, port, path: `/${rest.map(encodeURIComponent).join('/')}` };
}

function dialFailure(error: unknown): unknown {
  return error instanceof TunnelError ? newUnknownError(`error dialing backend: ${error.message}`) : error;
}

async function relay(parts: HandlerParts, exchange: Exchange, target: TunnelTarget): Promise<void> {
  try {
    await parts.tunnel?.relay(exchange.request, exchange.response, target);
  } catch (error) {
    if (error instanceof TunnelError && error.isUntrusted) exchange.record.isUntrustedBackend = true;
    throw dialFailure(error);
  }
}

/**
 * Serves a request to switch protocols: exec, attach, portforward and proxies, and over WebSocket watches and logs, too; anything
 * else is answered and closed.
 */
export async function handleUpgrade(
  parts: HandlerParts,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  socket.on('error', () => socket.destroy());
  const record = recordRequest(request, parts.registry.clock);
  const connection = { request, socket, head };
  const begin = (): void => {
    record.isLongRunning = true;
    record.response = { code: 101, size: 0 };
    parts.observer.started(record);
    socket.once('close', () => parts.observer.completed(record));
  };
  try {
    const { info, query, user } = await establishRequest(parts, request, { warnings: new Set(), record });
    const remote = parts.aggregation?.aggregator.remoteOf(pathOf(request));
    if (remote && parts.aggregation) {
      begin();
      const reply = await upgradeRemote(parts.aggregation.tunnel, connection, { remote, user });
      if (reply) refuse(socket, reply);
      return;
    }
    const served = info.isResource ? parts.table().get(info.group, info.version, info.resource) : undefined;
    if (!info.isResource || !served) {
      recordReply(record, notFoundReply);
      parts.observer.completed(record);
      refuse(socket, notFoundReply);
      return;
    }
    const context: RequestContext = {
      user,
      request: apiRequestOf(info, firstValues(query), request),
      body: undefined,
      warn: () => undefined,
      annotate: (key, value) => annotate(record, key, value),
    };
    record.namespaced = served.type.namespaced;
    checkScope(info, served);
    checkServed(served, context);
    if (info.verb === 'watch' && asksForWebSocket(request)) {
      await served.resource.ready?.(context.request);
      const negotiated = negotiate(request.headers.accept, [...mediaTypes, ...streamMediaTypes]);
      const askedAt = record.startedAt;
      const options = await watchOptions(parts, served, { context, negotiated, askedAt });
      const webSocket = await acceptWebSocket(connection, offeredProtocols(request)[0]);
      begin();
      sendWatch(webSocketSink(webSocket, socket), options);
      return;
    }
    const target = await connectTarget(parts, served, { context, query, rest: info.rest });
    if (!target)
      throw newBadRequest(`${info.resource} ${JSON.stringify(info.name)} does not have a host assigned`);
    begin();
    const subresource = served.resource.definition.subresources?.[info.subresource ?? ''];
    const isRead = subresource?.connect !== undefined && !subresource.verbs.includes('create');
    if (isRead && asksForWebSocket(request)) await parts.tunnel?.relayAsMessages(connection, target);
    else await parts.tunnel?.upgrade(request, socket, { head, target });
  } catch (error) {
    const failure = dialFailure(error);
    const reply = errorReply(parts, request, failure);
    recordReply(record, reply, failure instanceof StatusError ? failure : undefined);
    if (!record.isLongRunning) parts.observer.completed(record);
    refuse(socket, reply);
  }
}

function refuse(socket: Duplex, reply: Reply): void {
  const head = [
    `HTTP/1.1 ${reply.code} ${reply.code === 404 ? 'Not Found' : 'Refused'}`,
    `Content-Type: ${reply.contentType}`,
    `Content-Length: ${reply.body.length}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.end(reply.body);
}
