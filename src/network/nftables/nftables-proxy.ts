import type { Clock, Timer } from '../../base/clock.ts';
import { inRange } from '../../base/ip-range.ts';
import { enableForwarding } from '../forwarding.ts';
import { createFrontendOwners } from '../frontend-owners.ts';
import { NetworkError } from '../network-error.ts';
import { ownPlace, type NetworkPlace } from '../network-place.ts';
import { frontendKey, isIpv6Key, type Frontend, type ServicePort } from '../service-port.ts';
import type { PortConflict, ServiceChange, ServiceProxy } from '../service-proxy.ts';
import { baseTable, fromOwnPods, serviceTableName, type ServiceTable } from './base-table.ts';
import { createNft, type Nft } from './nft-session.ts';
import { claimPort, type PortClaim } from './port-claims.ts';
import { allBackends, renderServicePort } from './render-service-port.ts';
import { emptyPart, RulesetChange, type RulesetPart } from './ruleset.ts';
import { serviceTables, type ServiceTableOptions } from './service-tables.ts';
import { flushStaleFlows, type EndpointChange } from './stale-flows.ts';

export interface NftablesProxyOptions extends ServiceTableOptions {
  readonly clock: Clock;
  /** Where the rules are in force; default: here. */
  readonly place?: NetworkPlace;
  onConflict(conflict: PortConflict): void;
}

interface TableProxyOptions extends Pick<NftablesProxyOptions, 'clock' | 'onConflict'> {
  readonly place: NetworkPlace;
  readonly table: ServiceTable;
}

const claimRetryMs = 5_000;

/**
 * A proxy in the kernel: one nftables table for each family of the cluster, changed in transactions. Client addresses are
 * kept, except where the answer would not come back. A table that exists stays in force until the first update replaces it.
 * Throws `TOOL_MISSING` or `TOOL_FAILED` when nft cannot be used here.
 */
export async function startNftablesProxy(options: NftablesProxyOptions): Promise<ServiceProxy> {
  const place = options.place ?? ownPlace();
  const { clock, onConflict } = options;
  const [ipv4, ipv6] = await Promise.all(
    serviceTables(options).map((table) => startTable({ clock, onConflict, place, table })),
  );
  if (!options.node) await enableForwarding(place, options.ipv6 ? ['IPv4', 'IPv6'] : ['IPv4']);
  if (!ipv4) throw new Error('there is no table of IPv4');
  return ipv6 ? proxyOfBoth(ipv4, ipv6) : ipv4;
}

async function startTable(options: TableProxyOptions): Promise<ServiceProxy> {
  const { place, table } = options;
  const existed = await place.run('nft', ['list', 'table', ...serviceTableName(table).split(' ')]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof NetworkError && error.code === 'TOOL_FAILED') return false;
      throw error;
    },
  );
  if (!existed) await place.run('nft', ['-f', '-'], baseTable(table));
  return new NftablesProxy(options, existed ? 'outOfStep' : 'inStep');
}

/** Gives each of two proxies what is of its family. */
function proxyOfBoth(ipv4: ServiceProxy, ipv6: ServiceProxy): ServiceProxy {
  return {
    get limitations() {
      return [...new Set([...ipv4.limitations, ...ipv6.limitations])];
    },
    async update({ set, removed }) {
      const of = (which: (key: string) => boolean): ServiceChange => ({
        set: set.filter(({ key }) => which(key)),
        removed: removed.filter(which),
      });
      await Promise.all([ipv4.update(of((key) => !isIpv6Key(key))), ipv6.update(of(isIpv6Key))]);
    },
    async close() {
      await Promise.all([ipv4.close(), ipv6.close()]);
    },
  };
}

interface Served {
  readonly port: ServicePort;
  readonly frontends: readonly Frontend[];
  readonly part: RulesetPart;
}

class NftablesProxy implements ServiceProxy {
  readonly #options: TableProxyOptions;
  readonly #nft: Nft;
  readonly #table: string;
  readonly #owners = createFrontendOwners();
  readonly #ports = new Map<string, ServicePort>();
  readonly #served = new Map<string, Served>();
  readonly #claims = new Map<string, PortClaim>();
  readonly #refused = new Map<string, Set<string>>();
  /** How many service ports need an element of the shared sets. */
  readonly #shared = new Map<string, number>();
  readonly limitations: string[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #retry: Timer | undefined;
  #outOfStep: boolean;
  #closed = false;

  constructor(options: TableProxyOptions, state: 'inStep' | 'outOfStep') {
    this.#outOfStep = state === 'outOfStep';
    this.#options = options;
    this.#nft = createNft(options.place, options.clock);
    this.#table = serviceTableName(options.table);
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
    return this.#enqueue(this.#owners.takeChanged());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#turn.catch(() => {});
    for (const claim of this.#claims.values()) claim.release();
    this.#claims.clear();
    this.#nft.close();
  }

  #enqueue(keys: ReadonlySet<string>): Promise<void> {
    const next = this.#turn.catch(() => {}).then(() => this.#apply(keys));
    this.#turn = next;
    return next;
  }

  async #apply(keys: ReadonlySet<string>): Promise<void> {
    if (this.#closed) return;
    const change = new RulesetChange(this.#table);
    const endpointChanges: EndpointChange[] = [];
    const shared = new Map<string, number>();
    for (const key of keys) {
      const before = this.#served.get(key);
      const after = await this.#render(key);
      change.replace(before?.part ?? emptyPart, after?.part ?? emptyPart);
      for (const element of before ? this.#sharedBy(before) : []) add(shared, element, -1);
      for (const element of after ? this.#sharedBy(after) : []) add(shared, element, 1);
      if (after) this.#served.set(key, after);
      else this.#served.delete(key);
      if ((after ?? before)?.port.protocol === 'UDP')
        endpointChanges.push({
          family: this.#options.table.family,
          frontends: [...(before?.frontends ?? []), ...(after?.frontends ?? [])],
          before: before?.port.endpoints ?? [],
          after: after?.port.endpoints ?? [],
        });
    }
    change.replace(...this.#applyShared(shared));
    await this.#commit(change);
    if (!(await flushStaleFlows(endpointChanges, this.#options.place)) && this.limitations.length === 0)
      this.limitations.push('conntrack is not installed: UDP clients may keep talking to pods that are gone');
  }

  async #render(key: string): Promise<Served | undefined> {
    const port = this.#ports.get(key);
    const owned = port ? this.#owners.owned(port) : [];
    const frontends: Frontend[] = [];
    const previous = this.#served.get(key);
    for (const frontend of previous?.frontends ?? []) {
      const wanted = owned.some((other) => sameFrontend(other, frontend));
      if (!wanted && previous) this.#release(claimKey(previous.port, frontend));
    }
    for (const frontend of owned) if (!port || (await this.#claim(port, frontend))) frontends.push(frontend);
    if (!port) {
      this.#refused.delete(key);
      return undefined;
    }
    const { table } = this.#options;
    const { serviceRange, balancerRange, node } = table;
    const ownPods = node && fromOwnPods(table, node);
    const part = renderServicePort(port, frontends, [serviceRange, balancerRange], ownPods);
    return { port, frontends, part };
  }

  async #claim(port: ServicePort, frontend: Frontend): Promise<boolean> {
    // What listens on a node of its own is the cluster's business alone.
    const { family, node } = this.#options.table;
    if (node) return true;
    if (frontend.address !== undefined && frontend.role !== 'hostPort') return true;
    const key = claimKey(port, frontend);
    if (this.#claims.has(key)) return true;
    const claim = await claimPort(
      port.protocol,
      frontend.port,
      frontend.address ?? (family === 'IPv6' ? '::' : '0.0.0.0'),
    );
    const refused = this.#refused.get(port.key) ?? new Set();
    if (claim) {
      this.#claims.set(key, claim);
      refused.delete(key);
      return true;
    }
    if (!refused.has(key)) {
      this.#refused.set(port.key, refused.add(key));
      const { role, port: number } = frontend;
      this.#options.onConflict({ key: port.key, role, protocol: port.protocol, port: number });
    }
    this.#retry ??= this.#options.clock.after(claimRetryMs, () => {
      this.#retry = undefined;
      const keys = [...this.#refused].filter(([, claims]) => claims.size > 0).map(([key]) => key);
      this.#enqueue(new Set(keys)).catch(() => {});
    });
    return false;
  }

  #release(key: string): void {
    this.#claims.get(key)?.release();
    this.#claims.delete(key);
  }

  #sharedBy({ port }: Served): readonly string[] {
    return allBackends(port).map(({ ip, port: number }) =>
      inRange(this.#options.table.podRange, ip)
        ? `own-endpoints ${ip} . ${ip}`
        : `outside-endpoints ${ip} . ${port.protocol.toLowerCase()} . ${number}`,
    );
  }

  #applyShared(changes: ReadonlyMap<string, number>): [RulesetPart, RulesetPart] {
    const before = new Map<string, string>();
    const after = new Map<string, string>();
    for (const [element, difference] of changes) {
      const count = this.#shared.get(element) ?? 0;
      if (count > 0) before.set(element, '');
      if (count + difference > 0) after.set(element, '');
      if (count + difference > 0) this.#shared.set(element, count + difference);
      else this.#shared.delete(element);
    }
    return [
      { ...emptyPart, elements: before },
      { ...emptyPart, elements: after },
    ];
  }

  async #commit(change: RulesetChange): Promise<void> {
    if (this.#outOfStep) return await this.#replaceAll();
    if (change.commands.length === 0) return;
    try {
      await this.#nft.apply(change.commands);
    } catch {
      await this.#replaceAll();
    }
  }

  /** The table is not what it should be (somebody flushed the rules): makes it anew, in one transaction. */
  async #replaceAll(): Promise<void> {
    this.#outOfStep = true;
    const change = new RulesetChange(this.#table);
    for (const { part } of this.#served.values()) change.replace(emptyPart, part);
    const elements = new Map([...this.#shared.keys()].map((element) => [element, '']));
    change.replace(emptyPart, { ...emptyPart, elements });
    await this.#nft.load(`${baseTable(this.#options.table)}${change.commands.join('\n')}\n`);
    this.#outOfStep = false;
  }
}

function claimKey(port: ServicePort, frontend: Frontend): string {
  return frontendKey(port, frontend);
}

function sameFrontend(a: Frontend, b: Frontend): boolean {
  return a.address === b.address && a.port === b.port;
}

function add(counts: Map<string, number>, key: string, difference: number): void {
  counts.set(key, (counts.get(key) ?? 0) + difference);
}
