import { randomUUID } from 'node:crypto';
import type { UserInfo } from '../api/resource.ts';
import { apiVersionOf, type KubeObject } from '../machinery/object.ts';
import { newGenericServerResponse } from '../machinery/status/errors.ts';
import { StatusError } from '../machinery/status-error.ts';
import { methodOf, requestPath } from '../machinery/request-path.ts';
import type { ApiRequest, Transport, TransportEvent } from '../machinery/transport.ts';
import type { RemoteVersion } from './aggregation/aggregator.ts';
import { readRemote } from './aggregation/relay-remote.ts';
import type { Authorizer } from './auth/authorizer.ts';
import { authorizeRequest, notAllowed } from './authorize-request.ts';
import type { Reply } from './http/exchange.ts';
import { annotate } from './http/record-request.ts';
import type { PathRequest } from './http/path-routes.ts';
import { selectedName } from './http/request-info.ts';
import type { RequestObserver, RequestRecord } from './http/request-record.ts';
import type { Answer } from './registry/answer.ts';
import { checkServed, handleResource } from './registry/handle-resource.ts';
import { listItems } from './registry/read.ts';
import { entryObject } from './registry/represent.ts';
import type { Registry, RequestContext } from './registry/request-context.ts';
import { listKind, type ResourceTable, type ServedVersion } from './registry/served-resource.ts';
import { planWatch } from './registry/watch-objects.ts';
import { startWatch, type SeenEvent } from './watch/watch-stream.ts';

/** What a transport within the process needs of the server. */
export interface InProcessParts {
  readonly registry: Registry;
  readonly table: () => ResourceTable;
  readonly authorizer: Authorizer;
  paths(request: PathRequest): Promise<Reply>;
  /** The server behind an APIService that serves the path, if any does. */
  remoteOf?(path: string): RemoteVersion | undefined;
  readonly observer: Required<RequestObserver>;
  /** Aborts when the server stops: watches end. */
  readonly signal: AbortSignal;
}

const collectionVerbs = ['list', 'watch', 'deletecollection'];

/** Authorises a request, noting it in its record, and finds what it is about, if this server serves it. Throws `StatusError`. */
function lookUp(
  parts: InProcessParts,
  request: ApiRequest,
  record: RequestRecord,
): ServedVersion | undefined {
  const { verb, group, version, resource, subresource, namespace, name, params } = request;
  const user = record.requester ?? { name: '', groups: [] };
  const { fieldSelector, labelSelector } = params ?? {};
  const asked = name ?? (collectionVerbs.includes(verb) ? selectedName(fieldSelector ?? '') : undefined);
  parts.observer.received(record);
  const attributes = {
    verb,
    group,
    version,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(asked === undefined ? {} : { name: asked }),
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(labelSelector ? { labelSelector } : {}),
  };
  record.decision = parts.authorizer.authorize(user, attributes);
  if (!record.decision.allowed) throw notAllowed(user, attributes, record.decision.reason);
  const served = parts.table().get(group, version, resource);
  if (served) record.namespaced = served.type.namespaced;
  return served;
}

function notServed({ verb, group, resource, name }: ApiRequest): StatusError {
  return newGenericServerResponse({
    code: 404,
    method: methodOf(verb),
    resource: { group, resource },
    ...(name !== undefined && { name }),
  });
}

/** The program that upstream's identities belong to, which owns the fields that they write. */
function componentOf({ name }: UserInfo): string {
  if (name.startsWith('system:node:')) return 'kubelet';
  if (name.startsWith('system:serviceaccount:kube-system:')) return 'kube-controller-manager';
  if (name === 'system:apiserver') return 'kube-apiserver';
  return name.startsWith('system:') ? name.slice('system:'.length) : 'kanoe';
}

function recordCall({ registry }: InProcessParts, user: UserInfo, request: ApiRequest): RequestRecord {
  const { verb, group, version, resource, subresource, namespace, name, params, body } = request;
  return {
    auditId: randomUUID(),
    receivedAt: registry.clock.now(),
    startedAt: registry.clock.monotonic(),
    uri: () => requestPath(request),
    userAgent: componentOf(user),
    sourceIps: ['127.0.0.1'],
    annotations: new Map(),
    info: { isResource: true, verb, group, version, resource, subresource, namespace, name, rest: [] },
    requester: user,
    ...(params ? { params } : {}),
    isApply: request.patchType === 'application/apply-patch+yaml',
    isLongRunning: verb === 'watch',
    ...(body === undefined ? {} : { requestObject: () => body }),
  };
}

function recordFailure(record: RequestRecord, error: unknown): void {
  record.isFault = !(error instanceof StatusError);
  record.response =
    error instanceof StatusError
      ? { code: error.code, size: 0, status: error.status }
      : { code: 500, size: 0 };
}

/**
 * The server by function call, as `user`: same authorisation, admission, defaulting and validation as over HTTPS, no JSON in
 * between. Objects handed out are frozen and shared.
 */
export function inProcessTransport(parts: InProcessParts, user: UserInfo): Transport {
  const contextOf = (request: ApiRequest, record: RequestRecord): RequestContext => {
    // Upstream puts a namespace into itself.
    const own = request.group === '' && request.resource === 'namespaces' && request.name !== undefined;
    return {
      user,
      request: own ? { ...request, namespace: request.name ?? '' } : request,
      body: request.body === undefined ? undefined : { type: 'object', value: request.body },
      userAgent: componentOf(user),
      warn: () => undefined,
      annotate: (key, value) => annotate(record, key, value),
    };
  };
  return {
    async request(request) {
      const record = recordCall(parts, user, request);
      try {
        const served = lookUp(parts, request, record);
        if (!served) return await askElsewhere(parts, request, record);
        const context = contextOf(request, record);
        checkServed(served, context);
        await served.resource.ready?.(request);
        const answer = await handleResource(parts.registry, served, context);
        const object = objectOf(answer);
        record.response = { code: answer.type === 'list' ? 200 : answer.code, size: 0, object: () => object };
        return object;
      } catch (error) {
        recordFailure(record, error);
        throw error;
      } finally {
        parts.observer.completed(record);
      }
    },
    watch(request) {
      const record = recordCall(parts, user, request);
      return watchEvents(parts, { request, record, context: contextOf(request, record) });
    },
    async raw(path) {
      const url = new URL(path, 'https://localhost');
      authorizeRequest(parts.authorizer, user, { verb: 'get', path: url.pathname });
      const reply = await parts.paths({ path: url.pathname, query: url.searchParams, headers: {} });
      if (reply.code >= 400)
        throw newGenericServerResponse({ code: reply.code, body: reply.body.toString() });
      const text = reply.body.toString();
      return reply.contentType.startsWith('application/json') ? (JSON.parse(text) as unknown) : text;
    },
    close: () => Promise.resolve(),
  };
}

/** What another server serves can be read; anything else is not there. */
async function askElsewhere(
  { remoteOf }: InProcessParts,
  request: ApiRequest,
  record: RequestRecord,
): Promise<unknown> {
  const reads = request.verb === 'get' || request.verb === 'list';
  const remote = reads ? remoteOf?.(requestPath(request)) : undefined;
  if (!remote) throw notServed(request);
  const user = record.requester ?? { name: '', groups: [] };
  const object = await readRemote(request, { remote, user });
  record.response = { code: 200, size: 0, object: () => object };
  return object;
}

function objectOf(answer: Answer): unknown {
  if (answer.type === 'object') return answer.object();
  return {
    kind: listKind(answer.served),
    apiVersion: apiVersionOf(answer.served.type),
    metadata: answer.metadata,
    items: listItems(answer),
  };
}

interface WatchCall {
  readonly record: RequestRecord;
  readonly request: ApiRequest;
  readonly context: RequestContext;
}

const bookmarkIntervalMs = 60_000;

/** More events than this not yet taken: the watch ends, and its holder starts again from what it saw last. */
const backlogLimit = 100_000;

/** The events of a watch, which is on record until its holder has had enough. */
async function* watchEvents(parts: InProcessParts, call: WatchCall): AsyncGenerator<TransportEvent> {
  const { record, request } = call;
  try {
    const served = lookUp(parts, request, record);
    if (!served) throw notServed(request);
    parts.observer.started(record);
    record.response = { code: 200, size: 0 };
    yield* servedEvents(parts, served, call);
  } catch (error) {
    recordFailure(record, error);
    throw error;
  } finally {
    parts.observer.completed(record);
  }
}

async function* servedEvents(
  parts: InProcessParts,
  served: ServedVersion,
  { request, context }: WatchCall,
): AsyncGenerator<TransportEvent> {
  const { registry } = parts;
  const watching = { ...context, request: { ...context.request, verb: 'watch' as const } };
  checkServed(served, watching);
  await served.resource.ready?.(watching.request);
  const plan = await planWatch(registry, served, watching);
  let queue: TransportEvent[] = [];
  let wake: (() => void) | undefined;
  let ended = false;
  const end = (): void => {
    ended = true;
    wake?.();
  };
  const put = (event: TransportEvent): void => {
    queue.push(event);
    if (queue.length > backlogLimit) end();
    wake?.();
  };
  const bookmark = (initialEnd: boolean): TransportEvent => ({
    type: 'BOOKMARK',
    object: {
      kind: served.type.kind,
      apiVersion: apiVersionOf(served.type),
      metadata: {
        resourceVersion: String(registry.feed.revision),
        ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
      },
    },
  });
  const onEvents = (events: readonly SeenEvent[]): void => {
    for (const event of events) put({ type: event.type, object: seenObject(served, event) });
  };
  let subscription: { close(): void };
  try {
    if (plan.failure) throw plan.failure;
    const { cache } = served.resource;
    subscription = startWatch({ cache, selection: plan.selection, after: plan.after, onEvents, onEnd: end });
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    yield { type: 'ERROR', object: { ...error.status, apiVersion: 'v1', kind: 'Status', metadata: {} } };
    return;
  }
  if (plan.markInitialEnd && plan.bookmarks) put(bookmark(true));
  let reminder = plan.bookmarks ? registry.clock.after(bookmarkIntervalMs, remind) : undefined;
  function remind(): void {
    put(bookmark(false));
    reminder = registry.clock.after(bookmarkIntervalMs, remind);
  }
  const lifetime = registry.clock.after(plan.lengthMs, end);
  const signals = request.signal ? [request.signal, parts.signal] : [parts.signal];
  for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  try {
    while (!signals.some((signal) => signal.aborted)) {
      if (queue.length > 0) {
        const events = queue;
        queue = [];
        yield* events;
        continue;
      }
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
  } finally {
    subscription.close();
    lifetime.cancel();
    reminder?.cancel();
    for (const signal of signals) signal.removeEventListener('abort', end);
  }
}

function seenObject(served: ServedVersion, event: SeenEvent): KubeObject {
  const object = entryObject(served, event.entry);
  if (event.entry.revision === event.revision) return object;
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(event.revision) } };
}
