import type { IncomingMessage } from 'node:http';
import { encodeJson } from '../machinery/json/encode.ts';
import { parseJson } from '../machinery/json/parse-json.ts';
import type { Status } from '../machinery/meta/v1.gen.ts';
import { newGenericServerResponse } from '../machinery/status/errors.ts';
import { StatusError } from '../machinery/status-error.ts';
import type { ApiRequest, Transport, TransportEvent } from '../machinery/transport.ts';
import type { Connection } from './connection.ts';
import { connectionError } from './connection-error.ts';
import { createHttpCaller, readText, type HttpCaller } from './http-call.ts';
import { methodOf, requestPath } from '../machinery/request-path.ts';

/** A transport over HTTPS (or HTTP) with kept connections. Throws `ConnectionError` where the server cannot be talked to. */
export function createHttpsTransport(connection: Connection): Transport {
  const caller = createHttpCaller(connection);
  return {
    async request(request) {
      const response = await send(caller, request);
      const answer = decode(await readBody(connection, response));
      return request.verb === 'list' ? withItemKinds(answer) : answer;
    },
    watch: (request) => watch(connection, caller, request),
    async raw(path, signal) {
      const response = await caller.call({ method: 'GET', path, ...(signal && { signal }) });
      await throwUnlessOk(response, { method: 'GET' });
      const text = await readBody(connection, response);
      return response.headers['content-type']?.includes('json') ? decode(text) : text;
    },
    close: () => Promise.resolve(caller.close()),
  };
}

async function send(caller: HttpCaller, request: ApiRequest): Promise<IncomingMessage> {
  const { body, patchType, accept, signal } = request;
  const method = methodOf(request.verb);
  const response = await caller.call({
    method,
    path: requestPath(request),
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : encodeJson(body),
    }),
    headers: {
      ...(body !== undefined && { 'content-type': patchType ?? 'application/json' }),
      ...(accept !== undefined && { accept }),
    },
    ...(signal && { signal }),
  });
  const { group, resource, name } = request;
  await throwUnlessOk(response, {
    method,
    resource: { group, resource },
    ...(name !== undefined && { name }),
  });
  return response;
}

type Asked = Pick<Parameters<typeof newGenericServerResponse>[0], 'method' | 'resource' | 'name'>;

/** Throws the `Status` that a refused request is answered with; makes one when the body holds none. */
async function throwUnlessOk(response: IncomingMessage, asked: Asked): Promise<void> {
  const code = response.statusCode ?? 0;
  if (code >= 200 && code < 300) return;
  const body = await readText(response);
  const status = statusIn(body);
  if (status) throw new StatusError(complete(status, code));
  throw newGenericServerResponse({ ...asked, code, body });
}

function statusIn(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined;
  const value = decode(body) as Status & { readonly kind?: string };
  return value.kind === 'Status' ? value : undefined;
}

function complete(status: Status, code: number): StatusError['status'] {
  return {
    ...status,
    code: status.code ?? code,
    reason: status.reason ?? '',
    message: status.message ?? `the server answered with code ${code}`,
  };
}

async function* watch(
  connection: Connection,
  caller: HttpCaller,
  request: ApiRequest,
): AsyncGenerator<TransportEvent> {
  const response = await send(caller, request);
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield decode(line) as TransportEvent;
    }
  } catch (error) {
    if (request.signal?.aborted) return;
    throw connectionError(connection.server, error);
  } finally {
    response.destroy();
  }
}

async function readBody(connection: Connection, response: IncomingMessage): Promise<string> {
  try {
    return await readText(response);
  } catch (error) {
    throw connectionError(connection.server, error);
  }
}

/** Integers that a number cannot hold are rare: only a text with such a long one takes the exact way. */
function decode(text: string): unknown {
  return /\d{16}/.test(text) ? parseJson(text).value : JSON.parse(text);
}

/** Items of built-in lists come without apiVersion and kind. */
function withItemKinds(answer: unknown): unknown {
  const list = answer as { apiVersion?: string; kind?: string; items?: readonly { kind?: string }[] };
  if (!list.kind?.endsWith('List') || !list.items) return answer;
  const { apiVersion } = list;
  const kind = list.kind.slice(0, -'List'.length);
  return { ...list, items: list.items.map((item) => (item.kind ? item : { apiVersion, kind, ...item })) };
}
