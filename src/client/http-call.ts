import http from 'node:http';
import https from 'node:https';
import { authorizationOf, tlsOptionsOf, type Connection } from './connection.ts';
import { connectionError } from './connection-error.ts';

/** One HTTP request. */
export interface HttpCall {
  readonly method: string;
  /** Path and query, below the connection's server. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** Sends requests over kept connections. */
export interface HttpCaller {
  /** Resolves when the head of the answer is there. Throws `ConnectionError`, or the signal's reason. */
  call(call: HttpCall): Promise<http.IncomingMessage>;
  close(): void;
}

/** A caller for one connection; identical calls may run side by side without limit. */
export function createHttpCaller(connection: Connection): HttpCaller {
  const base = new URL(connection.server);
  const prefix = base.pathname.replace(/\/$/, '');
  const secure = base.protocol === 'https:';
  const agent = secure
    ? new https.Agent({ keepAlive: true, ...tlsOptionsOf(connection) })
    : new http.Agent({ keepAlive: true });

  function send(call: HttpCall): Promise<{ response?: http.IncomingMessage; stale?: boolean }> {
    return new Promise((resolve, reject) => {
      const { method, path, body, signal } = call;
      const headers = {
        accept: 'application/json',
        'user-agent': 'kanoe',
        ...authorizationOf(connection),
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        ...call.headers,
      };
      const request = (secure ? https : http).request({
        host: base.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: base.port || (secure ? 443 : 80),
        path: `${prefix}${path}`,
        method,
        headers,
        agent,
        ...(signal && { signal }),
      });
      request.once('response', (response) => resolve({ response }));
      request.once('error', (error: NodeJS.ErrnoException) => {
        if (signal?.aborted) reject(signal.reason);
        else if (request.reusedSocket && error.code === 'ECONNRESET') resolve({ stale: true });
        else reject(connectionError(connection.server, error));
      });
      request.end(body);
    });
  }

  return {
    async call(call) {
      for (;;) {
        const { response } = await send(call);
        if (response) return response;
      }
    },
    close: () => agent.destroy(),
  };
}

/** The whole body of an answer as text. */
export async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
