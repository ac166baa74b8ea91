import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a proxy can be looked into. */
export interface MetricsPage {
  readonly port: number;
  close(): void;
}

/** Answers `/metrics` and `/healthz`; port 0 is any free one. */
export function startMetricsPage(
  at: { readonly address: string; readonly port: number },
  text: () => string,
): Promise<MetricsPage> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(text());
      return;
    }
    if (path === '/healthz') response.end('ok');
    else response.writeHead(404).end();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.address, port: at.port }, () => {
      server.unref();
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
