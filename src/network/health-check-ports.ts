import { createServer, type Server } from 'node:http';
import type { HealthCheck } from './plan-services.ts';

export interface HealthCheckPortsOptions {
  /** Default: every address of the machine. */
  readonly host?: string;
  /** Hears of a port that another process has; it is tried again with the next change of the service. */
  onConflict(key: string, port: number): void;
}

/** Tells load balancers outside whether this machine has endpoints of a service, on its `healthCheckNodePort`, in kube-proxy's words. */
export class HealthCheckPorts {
  readonly #options: HealthCheckPortsOptions;
  readonly #served = new Map<string, { readonly server: Server; check: HealthCheck }>();

  constructor(options: HealthCheckPortsOptions) {
    this.#options = options;
  }

  /** What the Service `namespace/name` is to say; `undefined`: nothing any more. */
  set(key: string, check: HealthCheck | undefined): void {
    const served = this.#served.get(key);
    if (served && served.check.port === check?.port) {
      served.check = check;
      return;
    }
    if (served) this.#end(key, served.server);
    if (check) this.#listen(key, check);
  }

  close(): void {
    for (const [key, { server }] of this.#served) this.#end(key, server);
  }

  #end(key: string, server: Server): void {
    this.#served.delete(key);
    server.close();
    server.closeAllConnections();
  }

  #listen(key: string, first: HealthCheck): void {
    const [namespace, name] = key.split('/');
    const server = createServer((_, response) => {
      const { localEndpoints } = served.check;
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(localEndpoints),
      });
      const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
      response.end(JSON.stringify(body, undefined, '\t'));
    });
    const served = { server, check: first };
    this.#served.set(key, served);
    server.on('error', () => {
      if (this.#served.get(key) === served) this.#served.delete(key);
      this.#options.onConflict(key, first.port);
    });
    server.listen({ host: this.#options.host ?? '0.0.0.0', port: first.port }, () => server.unref());
  }
}
