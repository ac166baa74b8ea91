import https from 'node:https';
import type { APIService } from '../../api/apiregistration/v1.gen.ts';
import type { UserInfo } from '../../api/resource.ts';
import type { Live } from '../../machinery/object.ts';
import { connectionFailure } from '../../machinery/connection-failure.ts';
import type { ServiceResolver } from '../callout/service-resolver.ts';
import type { TunnelTarget } from '../streams/node-tunnel.ts';

/** With which this server shows itself to those behind it. */
export interface ProxyCredentials {
  readonly cert: string;
  readonly key: string;
}

/** What a server behind a service answered. */
export interface RemoteAnswer {
  readonly code: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const aggregatorUser: UserInfo = { name: 'system:aggregator', groups: ['system:masters'] };
const mostBytes = 64 * 1024 * 1024;
const askTimeoutMs = 5_000;

/** The user as an extension server reads it (the request headers of front proxies). */
export function userHeaders(user: UserInfo): Record<string, string | string[]> {
  const extra = Object.entries(user.extra ?? {}).map(([key, values]): [string, string[]] => [
    `x-remote-extra-${encodeURIComponent(key.toLowerCase())}`,
    [...values],
  ]);
  return {
    'x-remote-user': user.name,
    ...(user.uid !== undefined && { 'x-remote-uid': user.uid }),
    'x-remote-group': [...user.groups],
    ...Object.fromEntries(extra),
  };
}

/** A server behind an APIService: how to reach it, and what it says of itself. */
export class RemoteServer {
  readonly service: Live<APIService>;
  readonly #resolver: ServiceResolver;
  readonly #agent: https.Agent;

  constructor(
    service: Live<APIService>,
    resolver: ServiceResolver,
    credentials: ProxyCredentials | undefined,
  ) {
    this.service = service;
    this.#resolver = resolver;
    const { caBundle, insecureSkipTLSVerify = false } = service.spec;
    this.#agent = new https.Agent({
      ...credentials,
      keepAlive: true,
      maxFreeSockets: 16,
      servername: this.host,
      rejectUnauthorized: !insecureSkipTLSVerify,
      ...(caBundle && { ca: Buffer.from(caBundle, 'base64') }),
    });
  }

  /** The name that its certificate is for. */
  get host(): string {
    const { name = '', namespace = '' } = this.service.spec.service ?? {};
    return `${name}.${namespace}.svc`;
  }

  /** `/apis/GROUP/VERSION`. */
  get root(): string {
    const { group = '', version = '' } = this.service.spec;
    return `/apis/${group}/${version}`;
  }

  /** Where a request goes. Throws an `Error` in upstream's words when there is no endpoint. */
  target(path: string, query: URLSearchParams, user: UserInfo): TunnelTarget {
    const { name = '', namespace = '', port = 443 } = this.service.spec.service ?? {};
    const endpoint = this.#resolver.resolve({ namespace, name, port });
    if ('error' in endpoint) throw new Error(endpoint.error);
    return {
      endpoint,
      path,
      query,
      via: {
        agent: this.#agent,
        headers: { host: `${this.host}:${port}`, ...userHeaders(user) },
        hides: (header) => header.startsWith('x-remote-') || header.startsWith('impersonate-'),
      },
    };
  }

  /** A GET, as this server itself unless a user is named. Rejects with an `Error` in Go's words. */
  async get(
    path: string,
    { accept = 'application/json', user = aggregatorUser }: { accept?: string; user?: UserInfo } = {},
  ): Promise<RemoteAnswer> {
    const { endpoint, via } = this.target(path, new URLSearchParams(), user);
    return new Promise((resolve, reject) => {
      const request = https.request({
        agent: this.#agent,
        host: endpoint.host,
        port: endpoint.port,
        path,
        timeout: askTimeoutMs,
        headers: { ...via?.headers, accept },
      });
      const fail = (reason: string): void =>
        reject(new Error(`Get "https://${endpoint.host}:${endpoint.port}${path}": ${reason}`));
      request.on('timeout', () => {
        fail('context deadline exceeded');
        request.destroy();
      });
      request.on('error', (error) => fail(connectionFailure(error, endpoint)));
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > mostBytes) response.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            code: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? '',
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      request.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
