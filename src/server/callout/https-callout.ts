import { Agent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { connectionFailure } from '../../machinery/connection-failure.ts';
import { CalloutError } from './callout-error.ts';
import type { ServiceResolver } from './service-resolver.ts';

/** Whom to call: `clientConfig` of a webhook. */
export interface CalloutTarget {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** PEM in base64; the system's authorities when empty. */
  readonly caBundle?: string;
}

export interface Callout {
  readonly target: CalloutTarget;
  readonly body: string;
  /** How long the whole call may take; the server that is called is told in `timeout`. */
  readonly timeoutSeconds?: number;
}

/** What was answered. */
export interface CalloutAnswer {
  readonly code: number;
  readonly body: Buffer;
}

/** Calls that the server makes by itself, over HTTPS. */
export interface CalloutClient {
  /** Posts JSON. Throws `CalloutError`, whose message is what upstream's client says. */
  post(callout: Callout): Promise<CalloutAnswer>;
  close(): void;
}

/** Hears of calls. Must not throw. */
export interface CalloutObserver {
  /** On a clock of its own, in milliseconds. */
  now(): number;
  called(call: ObservedCall): void;
}

/** A call that is over; without a code when there was no answer. */
export interface ObservedCall {
  readonly host: string;
  readonly since: number;
  readonly bytesSent: number;
  readonly code?: number;
  readonly bytesReceived?: number;
}

const mostBytes = 16 * 1024 * 1024;

interface Destination {
  /** As it is shown and sent: `https://hook.default.svc:443/path?timeout=10s`. */
  readonly url: URL;
  readonly shown: string;
  /** Where to connect, when that is not the URL's own host. */
  readonly connect?: { readonly host: string; readonly port: number };
}

/** A client whose connections are kept open for the next call. */
export function calloutClient(options: {
  readonly clock: Clock;
  readonly services: ServiceResolver;
  readonly observer?: CalloutObserver;
}): CalloutClient {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 16 });
  return {
    async post(callout) {
      const destination = destinationOf(callout, options.services);
      const ended = new AbortController();
      const timer =
        callout.timeoutSeconds === undefined
          ? undefined
          : options.clock.after(callout.timeoutSeconds * 1000, () => ended.abort());
      const { observer } = options;
      const since = observer?.now() ?? 0;
      const { host } = destination.url;
      const bytesSent = Buffer.byteLength(callout.body);
      try {
        const answer = await send(callout, destination, { agent, signal: ended.signal });
        const { code, body } = answer;
        observer?.called({ host, since, bytesSent, code, bytesReceived: body.length });
        return answer;
      } catch (error) {
        const reason = ended.signal.aborted
          ? 'context deadline exceeded'
          : connectionFailure(error, destination.connect ?? destination.url);
        observer?.called({ host, since, bytesSent });
        throw new CalloutError(`Post ${JSON.stringify(destination.shown)}: ${reason}`, { cause: error });
      } finally {
        timer?.cancel();
      }
    },
    close: () => agent.destroy(),
  };
}

function destinationOf({ target, timeoutSeconds }: Callout, services: ServiceResolver): Destination {
  const query = timeoutSeconds === undefined ? '' : `?timeout=${timeoutSeconds}s`;
  const { service, url: text = '' } = target;
  if (!service) {
    const path = /^https:\/\/[^/]+$/i.test(text) ? '/' : '';
    return { url: new URL(`${text}${path}${query}`), shown: `${text}${path}${query}` };
  }
  const { namespace, name, port = 443, path = '' } = service;
  const rooted = path.startsWith('/') ? path : `/${path}`;
  const shown = `https://${name}.${namespace}.svc:${port}${rooted}${query}`;
  const resolved = services.resolve({ namespace, name, port });
  if ('error' in resolved) throw new CalloutError(`Post ${JSON.stringify(shown)}: ${resolved.error}`);
  return { url: new URL(shown), shown, connect: resolved };
}

function send(
  { target, body }: Callout,
  { url, connect }: Destination,
  { agent, signal }: { readonly agent: Agent; readonly signal: AbortSignal },
): Promise<CalloutAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      agent,
      signal,
      method: 'POST',
      host: connect?.host ?? url.hostname.replace(/^\[|\]$/g, ''),
      port: connect?.port ?? (url.port || 443),
      path: `${url.pathname}${url.search}`,
      ...(connect ? { servername: url.hostname } : {}),
      ...(target.caBundle ? { ca: Buffer.from(target.caBundle, 'base64') } : {}),
      headers: {
        host: url.host,
        accept: 'application/json, */*',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'kube-apiserver-admission',
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > mostBytes) response.destroy(new Error('the answer is too large'));
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    request.end(body);
  });
}
