import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../base/clock.ts';
import { nodes, services } from '../api/core/v1.gen.ts';
import { endpointslices, type EndpointSlice } from '../api/discovery/v1.gen.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { InformerFactory } from '../reconcile/informer.ts';
import type { HostPortMapping } from './create-pod-network.ts';
import { planDnsService, type DnsService } from './dns/dns-service.ts';
import type { DnsChange } from './engine/network-engine.ts';
import {
  planHealthCheck,
  planHostPort,
  planService,
  type IpFamily,
  type HealthCheck,
  type NodePlace,
  type NodeRange,
  type ServiceView,
} from './plan-services.ts';
import type { ServicePort } from './service-port.ts';
import type { ServiceChange } from './service-proxy.ts';

export interface ServiceTrackerOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Those of the cluster. Default: IPv4. */
  readonly families?: readonly IpFamily[];
  updateServices(change: ServiceChange): Promise<void>;
  /** Absent: names are somebody else's business. */
  updateDns?(change: DnsChange): Promise<void>;
  /** Hears what a Service is to say on its `healthCheckNodePort`. */
  updateHealthCheck?(key: string, check: HealthCheck | undefined): void;
  /** Name of the node that alone is served; absent: the machine, with the nodes that share its network. */
  readonly node?: string;
  /** Hears of updates that failed; they are tried again. */
  onError(error: unknown): void;
}

const zoneLabel = 'topology.kubernetes.io/zone';
const serviceNameLabel = 'kubernetes.io/service-name';
const retryMs = 1_000;

/**
 * Turns changes of Services and EndpointSlices into changes of what the proxy and DNS serve. Changes of one tick go out
 * together; while an update is under way, further ones gather.
 */
export class ServiceTracker {
  readonly #options: ServiceTrackerOptions;
  readonly #dirty = new Set<string>();
  readonly #ports = new Map<string, readonly ServicePort[]>();
  readonly #names = new Map<string, DnsService>();
  readonly #hostPorts = new Map<string, readonly ServicePort[]>();
  readonly #nodes = new Map<string, NodeRange>();
  readonly #handlers: { close(): void }[];
  readonly #waiting = new Map<string, (() => void)[]>();
  #flushing: Promise<void> | undefined;
  #retry: Timer | undefined;
  #synced = false;
  #stopped = false;

  constructor(options: ServiceTrackerOptions) {
    this.#options = options;
    const { informers } = options;
    const serviceCache = informers.for(services);
    const sliceCache = informers.for(endpointslices);
    sliceCache.addIndex(serviceNameLabel, (slice) => [serviceKeyOf(slice) ?? '']);
    const touch = (object: KubeObject): void => this.#touch(keyOf(object));
    const touchSlice = (slice: EndpointSlice): void => this.#touch(serviceKeyOf(slice));
    this.#handlers = [
      serviceCache.addHandler({ onAdd: touch, onUpdate: touch, onDelete: touch }),
      sliceCache.addHandler({
        onAdd: touchSlice,
        onUpdate(next, previous) {
          if (serviceKeyOf(previous) !== serviceKeyOf(next)) touchSlice(previous);
          touchSlice(next);
        },
        onDelete: touchSlice,
      }),
      informers.for(nodes).addHandler({
        onAdd: (node) => this.#moved(node.metadata.name),
        onUpdate: (next, previous) => {
          if (next.metadata.labels?.[zoneLabel] !== previous.metadata.labels?.[zoneLabel])
            this.#moved(next.metadata.name);
        },
      }),
    ];
    void Promise.all([serviceCache.synced(), sliceCache.synced()]).then(() => {
      this.#synced = true;
      this.#schedule();
    });
  }

  /** Resolves when the Service `namespace/name` leads to endpoints and all that was known before it is in force. */
  served(key: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), resolve]);
      this.#touch(key);
    });
  }

  /** A node of this machine, for services whose traffic stays on a node. */
  addNode(node: NodeRange): void {
    this.#nodes.set(node.name, node);
    this.#moved(node.name);
  }

  /** What is served to a node's pods may change with its zone. */
  #moved(nodeName: string): void {
    if (!this.#nodes.has(nodeName) && nodeName !== this.#options.node) return;
    for (const key of this.#ports.keys()) this.#dirty.add(key);
    this.#schedule();
  }

  /** Forgets a node and its host ports. */
  removeNode(name: string): void {
    if (!this.#nodes.delete(name)) return;
    for (const key of this.#ports.keys()) this.#dirty.add(key);
    this.setHostPorts(name, []);
  }

  /** Replaces the host ports of a node's pods. */
  setHostPorts(nodeName: string, mappings: readonly HostPortMapping[]): void {
    this.#hostPorts.set(nodeName, mappings.flatMap(planHostPort));
    this.#touch(hostPortKey(nodeName));
  }

  /** Ends the watching; what is in force stays so. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    for (const handler of this.#handlers) handler.close();
    await this.#flushing;
  }

  #touch(key: string | undefined): void {
    if (key === undefined) return;
    this.#dirty.add(key);
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#synced || this.#flushing || this.#stopped) return;
    this.#flushing = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#flush())
      .finally(() => {
        this.#flushing = undefined;
        if (this.#dirty.size > 0) this.#schedule();
      });
  }

  async #flush(): Promise<void> {
    const servicesChange = { set: [] as ServicePort[], removed: [] as string[] };
    const namesChange = { set: [] as DnsService[], removed: [] as { namespace: string; name: string }[] };
    for (const key of this.#dirty) {
      this.#planPorts(key, servicesChange);
      this.#planHealthCheck(key);
      if (this.#options.updateDns) this.#planName(key, namesChange);
    }
    this.#dirty.clear();
    const delivered = await Promise.all([
      this.#deliver(() => this.#options.updateServices(servicesChange)),
      this.#deliver(async () => await this.#options.updateDns?.(namesChange)),
    ]);
    if (delivered.every(Boolean)) this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    for (const [key, resolves] of this.#waiting) {
      const ports = this.#ports.get(key) ?? [];
      if (ports.length === 0 || ports.some(({ endpoints }) => endpoints.length === 0)) continue;
      this.#waiting.delete(key);
      for (const resolve of resolves) resolve();
    }
  }

  /** The receiver keeps what it was given even when it could not bring it into force; an empty change makes it try again. */
  async #deliver(update: () => Promise<void>): Promise<boolean> {
    try {
      await update();
      return true;
    } catch (error) {
      this.#options.onError(error);
      this.#retry ??= this.#options.clock.after(retryMs, () => {
        this.#retry = undefined;
        if (this.#stopped) return;
        void this.#deliver(() => this.#options.updateServices({ set: [], removed: [] })).then((delivered) => {
          if (delivered) this.#wakeWaiting();
        });
      });
      return false;
    }
  }

  #planPorts(key: string, change: { readonly set: ServicePort[]; readonly removed: string[] }): void {
    const before = new Map((this.#ports.get(key) ?? []).map((port) => [port.key, port]));
    const after = this.#portsOf(key);
    for (const port of after) {
      if (!isDeepStrictEqual(before.get(port.key), port)) change.set.push(port);
      before.delete(port.key);
    }
    change.removed.push(...before.keys());
    if (after.length > 0) this.#ports.set(key, after);
    else this.#ports.delete(key);
  }

  #portsOf(key: string): readonly ServicePort[] {
    const hostPorts =
      key.startsWith(hostPortKey('')) && this.#hostPorts.get(key.slice(hostPortKey('').length));
    if (hostPorts) return hostPorts;
    const [namespace, name = ''] = key.split('/');
    const service = this.#options.informers.for(services).get(namespace, name);
    if (!service) return [];
    const { families = ['IPv4'] } = this.#options;
    return families.flatMap((family) => planService(service, this.#slicesOf(key), this.#view(), family));
  }

  #view(): ServiceView {
    const { node } = this.#options;
    if (node !== undefined) return { node: this.#located({ name: node }) };
    return { nodes: [...this.#nodes.values()].map((own) => this.#located(own)) };
  }

  #located<T extends NodePlace>(place: T): T {
    const zone = this.#options.informers.for(nodes).get(undefined, place.name)?.metadata.labels?.[zoneLabel];
    return zone === undefined ? place : { ...place, zone };
  }

  #planHealthCheck(key: string): void {
    const [namespace, name = ''] = key.split('/');
    const service = this.#options.informers.for(services).get(namespace, name);
    this.#options.updateHealthCheck?.(key, service && planHealthCheck(service, this.#slicesOf(key)));
  }

  #planName(
    key: string,
    change: {
      readonly set: DnsService[];
      readonly removed: { readonly namespace: string; readonly name: string }[];
    },
  ): void {
    const [namespace = '', name = ''] = key.split('/');
    const service = this.#options.informers.for(services).get(namespace, name);
    const before = this.#names.get(key);
    const after = service && planDnsService(service, this.#slicesOf(key));
    if (isDeepStrictEqual(before, after)) return;
    if (after) {
      this.#names.set(key, after);
      change.set.push(after);
    } else {
      this.#names.delete(key);
      change.removed.push({ namespace, name });
    }
  }

  #slicesOf(key: string): readonly EndpointSlice[] {
    return this.#options.informers.for(endpointslices).byIndex(serviceNameLabel, key);
  }
}

function hostPortKey(nodeName: string): string {
  return `/hostPorts/${nodeName}`;
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function serviceKeyOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}
