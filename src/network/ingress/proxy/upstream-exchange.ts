import type { Readable } from 'node:stream';
import type { HeaderList } from './header-list.ts';

/** A request as it goes to an endpoint. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  /** With `host`; without fields of the connection. */
  readonly headers: HeaderList;
  /** Read only once a connection is there. */
  readonly body?: Readable;
  /** Known when the body has ended. */
  trailers?(): HeaderList;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly headers: HeaderList;
  /** Absent: there is none, and there are no trailers. */
  readonly body?: Readable;
  /** Known when the body has ended. */
  trailers(): HeaderList;
}

/** What became of a request; exactly one is called, once. */
export interface UpstreamHandler {
  onResponse(response: UpstreamResponse): void;
  /** `unsent`: nothing that counts has reached the endpoint, another may be asked. */
  onFailure(failure: { readonly unsent: boolean; readonly error: Error }): void;
}

/** A request that is under way. */
export interface SentRequest {
  /** Nobody waits any more. */
  abort(): void;
}

/** How long an endpoint may take to accept a connection. */
export const connectTimeoutMs = 2_000;

/** Methods of which a second request does no harm (RFC 9110, 9.2.2). */
export function isIdempotent(method: string): boolean {
  return /^(?:GET|HEAD|OPTIONS|PUT|DELETE|TRACE)$/.test(method);
}
