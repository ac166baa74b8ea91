import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
} from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { systemClock } from '../../../base/clock.ts';
import { createIngressProxy, type IngressProxy, type ProxySettings } from './ingress-proxy.ts';
import type { ProxyListener, Route, Upstream, UpstreamEndpoint } from './proxy-configuration.ts';

/** A proxy in this process with one listener, and servers behind it; for tests. */
export interface ProxyLab {
  readonly proxy: IngressProxy;
  readonly metricsPort: number;
  /** Serves these routes and gives the port. */
  serve(routes: readonly Partial<Route>[], listener?: Partial<ProxyListener>): Promise<number>;
  upstream(
    name: string,
    endpoints: readonly UpstreamEndpoint[],
    protocol?: Upstream['protocol'],
  ): Promise<void>;
  /** Starts a server and gives where it is. */
  backend(answer: RequestListener): Promise<UpstreamEndpoint>;
  /** Any server that is to be ended with the lab. */
  adopt(server: Server): Promise<UpstreamEndpoint>;
  close(): Promise<void>;
}

export async function startProxyLab(settings: Partial<ProxySettings> = {}): Promise<ProxyLab> {
  const proxy = createIngressProxy(systemClock, () => 0);
  const metricsPort = await proxy.start({ metrics: { address: '127.0.0.1', port: 0 }, ...settings });
  const servers: Server[] = [];
  const adopt = (server: Server): Promise<UpstreamEndpoint> => {
    servers.push(server);
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () =>
        resolve({ ip: '127.0.0.1', port: (server.address() as AddressInfo).port }),
      ),
    );
  };
  return {
    proxy,
    metricsPort,
    async serve(routes, listener) {
      const complete = routes.map((route): Route => ({
        name: 'test',
        host: '',
        match: {},
        filters: {},
        backends: [{ upstream: 'web', weight: 1 }],
        ...route,
      }));
      const ports = await proxy.configure({
        listeners: [
          {
            name: 'main',
            address: '127.0.0.1',
            ports: [0],
            scopes: [{ host: '', routes: complete }],
            ...listener,
          },
        ],
      });
      const main = ports[listener?.name ?? 'main'];
      if (!main || !('port' in main)) throw new Error(JSON.stringify(main));
      return main.port;
    },
    upstream: (name, endpoints, protocol = 'http1') =>
      proxy.updateUpstreams({ set: [{ name, protocol, endpoints }], removed: [] }),
    adopt,
    backend: (answer) => adopt(createServer(answer)),
    async close() {
      await proxy.close();
      for (const server of servers) {
        server.close();
        if ('closeAllConnections' in server)
          (server as ReturnType<typeof createServer>).closeAllConnections();
      }
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly text: string;
}

/** Sends a request and reads the answer to its end. */
export function call(
  port: number,
  options: RequestOptions & { readonly body?: string } = {},
): Promise<Answer> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, agent: false, ...rest }, (incoming) => {
      read(incoming).then(resolve, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function read(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { headers, rawHeaders, statusCode = 0, trailers } = incoming;
  return { status: statusCode, headers, rawHeaders, trailers, text: Buffer.concat(chunks).toString() };
}
