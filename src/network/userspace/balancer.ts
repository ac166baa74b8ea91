import type { Clock } from '../../base/clock.ts';
import { firstHost, inRange } from '../../base/ip-range.ts';
import type { Backend, Frontend, ServicePort } from '../service-port.ts';

/** Chooses endpoints for the clients of one service port: round robin, or by client with affinity. */
export interface Balancer {
  /** Follows a changed service port; clients keep endpoints that are still there. */
  update(port: ServicePort): void;
  /** The endpoint for a client's next connection; undefined when it is to be refused. */
  pick(client: string, role: Frontend['role']): Backend | undefined;
  /** Whether connections may still go there. */
  has(backend: Backend): boolean;
}

export function createBalancer(initial: ServicePort, clock: Clock): Balancer {
  let port = initial;
  let turn = 0;
  const remembered = new Map<string, { readonly backend: Backend; readonly until: number }>();

  const has = (backend: Backend): boolean =>
    [port.endpoints, ...(port.nodeEndpoints ?? []).map((node) => node.endpoints)].some((endpoints) =>
      endpoints.some((other) => other.ip === backend.ip && other.port === backend.port),
    );

  function candidates(client: string, role: Frontend['role']): readonly Backend[] {
    if (role === 'loadBalancer' && port.sourceRanges) {
      const loopback = port.family === 'IPv6' ? '::1/128' : '127.0.0.0/8';
      const allowed = [...port.sourceRanges, loopback].some((range) => inRange(range, client));
      if (!allowed) return [];
    }
    const node = port.nodeEndpoints?.find(({ range }) => role === 'clusterIP' && isPodOf(range, client));
    return (node ?? port).endpoints;
  }

  return {
    has,
    update(next) {
      port = next;
      for (const [client, { backend }] of remembered) if (!has(backend)) remembered.delete(client);
    },
    pick(client, role) {
      const endpoints = candidates(client, role);
      const now = clock.monotonic();
      const known = remembered.get(client);
      const next = endpoints[turn % Math.max(1, endpoints.length)];
      if (port.affinitySeconds === undefined || !next) {
        turn++;
        return next;
      }
      const kept =
        known &&
        known.until > now &&
        endpoints.find((one) => one.ip === known.backend.ip && one.port === known.backend.port);
      const backend = kept || next;
      if (!kept) turn++;
      remembered.delete(client);
      remembered.set(client, { backend, until: now + port.affinitySeconds * 1000 });
      for (const [other, { until }] of remembered) {
        if (until > now) break;
        remembered.delete(other);
      }
      return backend;
    },
  };
}

function isPodOf(range: string, address: string): boolean {
  return address !== firstHost(range) && inRange(range, address);
}
