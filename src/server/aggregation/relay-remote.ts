import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { UserInfo } from '../../api/resource.ts';
import type { Status } from '../../machinery/meta/v1.gen.ts';
import { requestPath } from '../../machinery/request-path.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { newGenericServerResponse } from '../../machinery/status/errors.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
import type { HttpRequest, HttpResponse, Reply } from '../http/exchange.ts';
import { TunnelError, type NodeTunnel, type TunnelTarget } from '../streams/node-tunnel.ts';
import type { RemoteVersion } from './aggregator.ts';
import type { RemoteAnswer } from './remote-server.ts';

function unavailable(text: string): Reply {
  return {
    code: 503,
    contentType: 'text/plain; charset=utf-8',
    body: Buffer.from(`${text}\n`),
    headers: { 'x-content-type-options': 'nosniff' },
  };
}

/** A request that another server serves, as `user` here. */
export interface RemoteRequest {
  readonly remote: RemoteVersion;
  readonly user: UserInfo;
}

function targetOf(request: HttpRequest, { remote, user }: RemoteRequest): TunnelTarget | Reply {
  if (!remote.available) return unavailable('service unavailable');
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  try {
    return remote.server.target(path, new URLSearchParams(query), user);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return unavailable('service unavailable');
  }
}

function failure(error: unknown): Reply {
  if (error instanceof TunnelError) return unavailable(`error trying to reach service: ${error.message}`);
  throw error;
}

/** Passes a request on and its answer back; resolves to an answer of our own when the server cannot be reached. */
export async function relayRemote(
  tunnel: NodeTunnel,
  exchange: { readonly request: HttpRequest; readonly response: HttpResponse },
  remote: RemoteRequest,
): Promise<Reply | undefined> {
  const target = targetOf(exchange.request, remote);
  if ('code' in target) return target;
  try {
    await tunnel.relay(exchange.request, exchange.response, target);
    return undefined;
  } catch (error) {
    return failure(error);
  }
}

/** The same for a request to switch protocols. */
export async function upgradeRemote(
  tunnel: NodeTunnel,
  connection: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  remote: RemoteRequest,
): Promise<Reply | undefined> {
  const { request, socket, head } = connection;
  const target = targetOf(request, remote);
  if ('code' in target) return target;
  try {
    await tunnel.upgrade(request, socket, { head, target });
    return undefined;
  } catch (error) {
    return failure(error);
  }
}

/** What another server answers to a request to read. Throws `StatusError`. */
export async function readRemote(request: ApiRequest, { remote, user }: RemoteRequest): Promise<unknown> {
  const { group, resource, name } = request;
  const asked = { method: 'GET', resource: { group, resource }, ...(name !== undefined && { name }) };
  const answer = remote.available ? await ask(remote, requestPath(request), user) : undefined;
  if (!answer) throw newGenericServerResponse({ ...asked, code: 503 });
  const { code, contentType, body } = answer;
  const text = body.toString();
  const value: unknown = contentType.startsWith('application/json') ? JSON.parse(text) : undefined;
  if (code < 300) return value;
  const status = value as Status | undefined;
  if (status?.kind !== 'Status') throw newGenericServerResponse({ ...asked, code, body: text });
  const { reason = '', message = '' } = status;
  throw new StatusError({ ...status, code, reason, message });
}

/** Undefined when the server cannot be reached. */
async function ask(remote: RemoteVersion, path: string, user: UserInfo): Promise<RemoteAnswer | undefined> {
  try {
    return await remote.server.get(path, { user });
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
