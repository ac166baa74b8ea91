import type { Clock, Timer } from '../../../base/clock.ts';
import type { FrontExchange } from './front-exchange.ts';
import { changeHeaders, endToEnd, type HeaderList } from './header-list.ts';
import type { Http1Connections } from './http1-connections.ts';
import type { Http2Connections } from './http2-connections.ts';
import type { HeaderChange, Upstream, UpstreamEndpoint } from './proxy-configuration.ts';
import type { SentRequest, UpstreamHandler, UpstreamRequest, UpstreamResponse } from './upstream-exchange.ts';
import type { UpstreamPool } from './upstream-pool.ts';

/** Where requests of clients are handed on. */
export interface Forwarding {
  readonly clock: Clock;
  readonly pool: UpstreamPool;
  readonly http1: Http1Connections;
  readonly http2: Http2Connections;
}

export interface ForwardOptions {
  readonly upstream: Upstream;
  readonly request: Omit<UpstreamRequest, 'body' | 'trailers'>;
  /** Applied to the answer, in this order. */
  readonly responseHeaders: readonly (HeaderChange | undefined)[];
  /** Last changes of the answer's fields. */
  finishHeaders(headers: HeaderList): HeaderList;
  readonly requestTimeoutMs: number;
  readonly backendTimeoutMs: number;
  /** Hears which endpoint is asked. */
  onAttempt(endpoint: UpstreamEndpoint): void;
  /** Hears of the answer's status. */
  onStatus(status: number): void;
  /** Hears of bytes of the answer's body. */
  onBytes(count: number): void;
  /** Answers what no endpoint answered. */
  refuse(status: 502 | 503 | 504, reason: string): void;
}

const maxAttempts = 4;

/**
 * Hands a request on and its answer back, both as they come. Another endpoint is asked when one has received nothing. The
 * answer is broken off when the endpoint breaks it off or time is up.
 */
export function forwardExchange(
  exchange: FrontExchange,
  options: ForwardOptions,
  forwarding: Forwarding,
): void {
  const { clock, pool } = forwarding;
  const { upstream, refuse } = options;
  const tried: UpstreamEndpoint[] = [];
  let sent: SentRequest | undefined;
  let attemptTimer: Timer | undefined;
  let over = false;
  const requestTimer =
    options.requestTimeoutMs > 0
      ? clock.after(options.requestTimeoutMs, () => timeOut('the request'))
      : undefined;
  exchange.onClose(() => {
    if (over) return;
    finish();
    sent?.abort();
  });
  attempt();

  function finish(): void {
    over = true;
    requestTimer?.cancel();
    attemptTimer?.cancel();
  }

  function timeOut(what: string): void {
    if (over) return;
    finish();
    sent?.abort();
    if (exchange.responded) exchange.abort();
    else refuse(504, `${what} took too long`);
  }

  function attempt(): void {
    const endpoint = pool.pick(pool.get(upstream.name) ?? upstream, tried);
    if (!endpoint) {
      finish();
      refuse(503, 'the service has no endpoints');
      return;
    }
    tried.push(endpoint);
    options.onAttempt(endpoint);
    attemptTimer?.cancel();
    if (options.backendTimeoutMs > 0)
      attemptTimer = clock.after(options.backendTimeoutMs, () => timeOut('the backend'));
    sent = send(forwarding, { upstream, endpoint }, outgoing(), {
      onResponse: relay,
      onFailure({ unsent, error }) {
        if (over) return;
        const left = (pool.get(upstream.name) ?? upstream).endpoints.some((one) => !tried.includes(one));
        if (unsent && left && tried.length < maxAttempts) {
          attempt();
          return;
        }
        finish();
        if (exchange.responded) exchange.abort();
        else refuse('code' in error && error.code === 'ETIMEDOUT' ? 504 : 502, error.message);
      },
    });
  }

  function outgoing(): UpstreamRequest {
    const { body } = exchange;
    return { ...options.request, ...(body && { body, trailers: () => exchange.trailers() }) };
  }

  function relay(response: UpstreamResponse): void {
    if (over) {
      sent?.abort();
      return;
    }
    let headers: HeaderList = endToEnd(response.headers);
    for (const change of options.responseHeaders) headers = changeHeaders(headers, change);
    headers = options.finishHeaders(headers);
    const { body } = response;
    try {
      options.onStatus(response.status);
      exchange.respond(response.status, headers, body ? undefined : 'end');
    } catch (error) {
      finish();
      sent?.abort();
      refuse(
        502,
        `the answer cannot be handed on: ${error instanceof Error ? error.message : String(error)}`,
      );
      return;
    }
    if (!body) {
      finish();
      return;
    }
    const { out } = exchange;
    body.on('data', (chunk: Buffer) => {
      options.onBytes(chunk.length);
      if (!out.write(chunk)) body.pause();
    });
    out.on('drain', () => body.resume());
    body.on('end', () => {
      finish();
      exchange.finish(response.trailers());
    });
    body.on('close', () => {
      if (!body.readableEnded && !over) {
        finish();
        exchange.abort();
      }
    });
  }
}

/** Sends a request to an endpoint in the upstream's protocol. */
export function send(
  { http1, http2 }: Pick<Forwarding, 'http1' | 'http2'>,
  target: { readonly upstream: Upstream; readonly endpoint: UpstreamEndpoint },
  request: UpstreamRequest,
  handler: UpstreamHandler,
): SentRequest {
  return target.upstream.protocol === 'h2c'
    ? http2.send(target.endpoint, request, handler)
    : http1.send(target, request, handler);
}
