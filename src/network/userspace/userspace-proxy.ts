import type { Clock, Timer } from '../../base/clock.ts';
import { createFrontendOwners } from '../frontend-owners.ts';
import { clusterLinkName } from '../link-names.ts';
import { runTool } from '../run-tool.ts';
import { isIpv6Key, type Frontend, type ServicePort } from '../service-port.ts';
import type { PortConflict, ServiceChange, ServiceProxy } from '../service-proxy.ts';
import { createBalancer, type Balancer } from './balancer.ts';
import { hostAddresses, hostIpv6Addresses } from './host-addresses.ts';
import type { Listener } from './listener.ts';
import { listenTcp } from './tcp-listener.ts';
import { listenUdp } from './udp-listener.ts';

export interface UserspaceProxyOptions {
  readonly clusterId: string;
  readonly clock: Clock;
  onConflict(conflict: PortConflict): void;
}

/** How often addresses of the machine that came or went, and ports that were taken, are looked at again. */
const refreshMs = 5_000;

interface Served {
  port: ServicePort;
  readonly balancer: Balancer;
  readonly listeners: Map<string, Listener>;
  readonly conflicts: Set<string>;
}

/**
 * A proxy of sockets, for machines without nft. It expects the service ranges to be local addresses (see
 * `ensureClusterLink`) and listens only on those of services that have endpoints.
 */
export class UserspaceProxy implements ServiceProxy {
  readonly limitations: readonly string[] = [
    'nft is not installed: pods cannot reach addresses outside the cluster (no masquerading), services carry TCP and UDP only, and see the machine as their client',
  ];
  readonly #options: UserspaceProxyOptions;
  readonly #owners = createFrontendOwners();
  readonly #ports = new Map<string, ServicePort>();
  readonly #served = new Map<string, Served>();
  /** Addresses that were made local for a listener. */
  readonly #adopted = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();
  #refresh: Timer | undefined;
  #closed = false;

  constructor(options: UserspaceProxyOptions) {
    this.#options = options;
  }

  update(change: ServiceChange): Promise<void> {
    for (const key of change.removed) {
      this.#ports.delete(key);
      this.#owners.assign(key, undefined);
    }
    for (const port of change.set) {
      this.#ports.set(port.key, port);
      this.#owners.assign(port.key, port);
    }
    return this.#enqueue(() => this.#owners.takeChanged());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#refresh?.cancel();
    await this.#turn.catch(() => {});
    for (const { listeners } of this.#served.values())
      for (const listener of listeners.values()) listener.destroy();
    this.#served.clear();
  }

  #enqueue(keys: () => Iterable<string>): Promise<void> {
    const next = this.#turn.catch(() => {}).then(() => this.#apply([...keys()]));
    this.#turn = next;
    return next;
  }

  async #apply(keys: readonly string[]): Promise<void> {
    if (this.#closed) return;
    const ipv6 = [...this.#ports.keys()].some(isIpv6Key) ? await hostIpv6Addresses() : [];
    const addresses = { IPv4: await hostAddresses(), IPv6: ipv6 };
    for (const key of keys) await this.#serve(key, addresses[isIpv6Key(key) ? 'IPv6' : 'IPv4']);
    this.#refresh ??= this.#options.clock.after(refreshMs, () => {
      this.#refresh = undefined;
      const hostWide = [...this.#served.values()].filter(({ port }) =>
        port.frontends.some(({ address, role }) => address === undefined || role === 'hostPort'),
      );
      if (hostWide.length > 0) this.#enqueue(() => hostWide.map(({ port }) => port.key)).catch(() => {});
    });
  }

  async #serve(key: string, addresses: readonly string[]): Promise<void> {
    const port = this.#ports.get(key);
    let served = this.#served.get(key);
    if (!served) {
      if (!port) return;
      const balancer = createBalancer(port, this.#options.clock);
      this.#served.set(key, (served = { port, balancer, listeners: new Map(), conflicts: new Set() }));
    }
    const wanted = new Map<string, { readonly frontend: Frontend; readonly address: string }>();
    if (port && port.endpoints.length > 0 && port.protocol !== 'SCTP') {
      for (const frontend of this.#owners.owned(port))
        for (const address of frontend.address === undefined ? addresses : [frontend.address])
          wanted.set(`${address}:${frontend.port}`, { frontend, address });
    }
    for (const [at, listener] of served.listeners) {
      if (wanted.has(at)) continue;
      listener.release();
      served.listeners.delete(at);
      await this.#letGo(at.slice(0, at.lastIndexOf(':')));
    }
    if (!port) {
      this.#served.delete(key);
      return;
    }
    served.port = port;
    served.balancer.update(port);
    for (const listener of served.listeners.values()) listener.endpointsChanged();
    for (const [at, { frontend, address }] of wanted)
      if (!served.listeners.has(at)) await this.#listen(served, frontend, address);
  }

  async #listen(served: Served, frontend: Frontend, address: string): Promise<void> {
    const { clock } = this.#options;
    const { port, balancer, conflicts, listeners } = served;
    const options = { address, port: frontend.port, role: frontend.role, balancer, clock };
    const listen = (): Promise<Listener> =>
      port.protocol === 'UDP' ? listenUdp(options) : listenTcp(options);
    const conflict = `${frontend.role}:${frontend.port}`;
    try {
      const listener = await listen().catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRNOTAVAIL' || !mayAdopt(frontend)) throw error;
        await this.#adopt(address);
        return await listen();
      });
      const users = this.#adopted.get(address);
      if (users !== undefined) this.#adopted.set(address, users + 1);
      listeners.set(`${address}:${frontend.port}`, listener);
      conflicts.delete(conflict);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL' && code !== 'EACCES') throw error;
      if (conflicts.has(conflict)) return;
      conflicts.add(conflict);
      const { role, port: number } = frontend;
      this.#options.onConflict({ key: port.key, role, protocol: port.protocol, port: number });
    }
  }

  async #adopt(address: string): Promise<void> {
    await this.#route('replace', address);
    this.#adopted.set(address, 0);
  }

  async #letGo(address: string): Promise<void> {
    const count = this.#adopted.get(address);
    if (count === undefined) return;
    if (count > 1) this.#adopted.set(address, count - 1);
    else {
      this.#adopted.delete(address);
      await this.#route('del', address);
    }
  }

  async #route(verb: 'replace' | 'del', address: string): Promise<void> {
    const link = clusterLinkName(this.#options.clusterId);
    if (address.includes(':')) {
      const flags = verb === 'replace' ? ['nodad'] : [];
      await runTool('ip', ['addr', verb, `${address}/128`, 'dev', link, ...flags]);
    } else await runTool('ip', ['route', verb, 'local', `${address}/32`, 'dev', link]);
  }
}

/** IPv6 has no ranges of local addresses on which sockets could listen: each address of a service is made one. */
function mayAdopt({ role, address = '' }: Frontend): boolean {
  return (
    role === 'externalIP' || (address.includes(':') && (role === 'clusterIP' || role === 'loadBalancer'))
  );
}
