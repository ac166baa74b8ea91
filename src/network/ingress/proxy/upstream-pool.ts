import type { Upstream, UpstreamChange, UpstreamEndpoint } from './proxy-configuration.ts';

/** The Services behind the proxy, and in which turn their endpoints are. */
export interface UpstreamPool {
  update(change: UpstreamChange): void;
  get(name: string): Upstream | undefined;
  /** The endpoint whose turn it is, of those not in `tried`. */
  pick(upstream: Upstream, tried: readonly UpstreamEndpoint[]): UpstreamEndpoint | undefined;
}

/** Endpoints that left get no further requests; what they are answering goes on, and idle connections to them are closed. */
export function createUpstreamPool(
  connections: readonly { forget(endpoint: UpstreamEndpoint): void }[],
): UpstreamPool {
  const upstreams = new Map<string, Upstream>();
  const turns = new Map<string, number>();

  function forgetLost(before: Upstream | undefined, after: Upstream | undefined): void {
    const kept = new Set(after?.endpoints.map(keyOf));
    for (const endpoint of before?.endpoints ?? [])
      if (!kept.has(keyOf(endpoint))) for (const one of connections) one.forget(endpoint);
  }

  return {
    update({ set, removed }) {
      for (const name of removed) {
        forgetLost(upstreams.get(name), undefined);
        upstreams.delete(name);
        turns.delete(name);
      }
      for (const upstream of set) {
        forgetLost(upstreams.get(upstream.name), upstream);
        upstreams.set(upstream.name, upstream);
      }
    },
    get: (name) => upstreams.get(name),
    pick({ name, endpoints }, tried) {
      const first = turns.get(name) ?? 0;
      for (let step = 0; step < endpoints.length; step++) {
        const at = (first + step) % endpoints.length;
        const endpoint = endpoints[at];
        if (!endpoint || tried.includes(endpoint)) continue;
        turns.set(name, at + 1);
        return endpoint;
      }
      return undefined;
    },
  };
}

/** Names an endpoint: `10.244.0.5:8080`. */
export function keyOf({ ip, port }: UpstreamEndpoint): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
