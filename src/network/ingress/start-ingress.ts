import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../../base/clock.ts';
import { pods, secrets, services, type Service } from '../../api/core/v1.gen.ts';
import { customresourcedefinitions, type CustomResourceDefinition } from '../../api/apiextensions/v1.gen.ts';
import { endpointslices } from '../../api/discovery/v1.gen.ts';
import { ingressclasses, ingresses } from '../../api/networking/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { Authority } from '../../machinery/x509/issue-certificate.ts';
import type { EventRecorder } from '../../reconcile/event-recorder.ts';
import type { Informer, InformerFactory } from '../../reconcile/informer.ts';
import { isConditionTrue } from '../../reconcile/conditions.ts';
import type { GatewaySource } from './gateway/gateway-source.ts';
import type { GatewayPlan } from './gateway/plan-gateways.ts';
import { createIngressFrontend, type FrontendPlace } from './ingress-frontend.ts';
import { createIngressStatusWriter } from './ingress-status.ts';
import { planIngresses, type IngressPlan, type IngressProblem } from './plan-ingresses.ts';
import type { IngressProxy, ListenerPorts, ProxySettings } from './proxy/ingress-proxy.ts';
import type { ProxyListener, Upstream } from './proxy/proxy-configuration.ts';
import { createWorkerIngressProxy } from './proxy/worker-ingress-proxy.ts';
import { slicesOfPods } from './slice-of-pods.ts';
import { planUpstream, upstreamName, type UpstreamRef } from './service-upstream.ts';

export interface IngressOptions {
  readonly client: Client;
  /** Started here for what is watched; stopped by whoever made it. */
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly place: FrontendPlace;
  /** The built `bin/ingress-worker`; without it the proxy runs in this thread. */
  readonly workerFile?: string;
  readonly accessLog?: ProxySettings['accessLog'];
  /** Signs what is shown for hosts without a certificate. */
  readonly authority: Authority;
  /** Hears of what failed and is tried again. */
  onError(error: unknown): void;
}

/** What serves Ingresses (and Gateways) of a cluster. */
export interface RunningIngress {
  /** A port of the machine that another process has. */
  portTaken(port: number): void;
  stop(): Promise<void>;
}

const serviceNameLabel = 'kubernetes.io/service-name';
const gatewayGroup = 'gateway.networking.k8s.io';
const retryMs = 1_000;

/**
 * Follows Ingresses and what they lead to. The proxy is started with the first of them. Changes of one tick go out
 * together; changes of endpoints alone go to the proxy without planning anew.
 */
export function startIngress(options: IngressOptions): RunningIngress {
  const { client, clock, events, informers } = options;
  const caches = {
    ingresses: informers.for(ingresses),
    classes: informers.for(ingressclasses),
    services: informers.for(services),
    slices: informers.for(endpointslices),
    secrets: informers.for(secrets),
    definitions: informers.for(customresourcedefinitions),
  };
  const frontend = createIngressFrontend({
    client,
    services: caches.services,
    classes: caches.classes,
    authority: options.authority,
    clock,
    place: options.place,
  });
  const statuses = createIngressStatusWriter(client, events);
  const told = new Map<string, readonly string[]>();
  const known = new Map<string, Upstream>();
  let refs = new Map<string, UpstreamRef>();
  let gateways: GatewaySource | undefined;
  let proxy: Promise<IngressProxy> | undefined;
  let metricsPort = 0;
  let listeners: readonly ProxyListener[] = [];
  let ports: ListenerPorts = {};
  let synced = false;
  let replan = true;
  const moved = new Set<string>();
  let running: Promise<void> | undefined;
  let retry: Timer | undefined;
  let stopped = false;
  let end = (): void => {};
  const ending = new Promise<void>((resolve) => (end = resolve));

  caches.slices.addIndex(serviceNameLabel, (slice) => [serviceKey(slice) ?? '']);
  /** Only where they have addresses that no EndpointSlice may hold. */
  const podCache = options.place.kind === 'loopback' ? informers.for(pods) : undefined;
  const handlers = [
    ...(podCache ? [follow(podCache, () => (replan = true))] : []),
    follow(caches.ingresses, () => (replan = true)),
    follow(caches.classes, () => (replan = true)),
    follow(caches.services, () => (replan = true)),
    follow(caches.secrets, (secret) => {
      if (secret.type === undefined || secret.type !== 'kubernetes.io/service-account-token') replan = true;
    }),
    follow(caches.definitions, ({ spec }) => {
      if (spec.group === gatewayGroup) replan = true;
    }),
    follow(caches.slices, (slice) => {
      const key = serviceKey(slice);
      if (key !== undefined) moved.add(key);
    }),
  ];
  informers.start();
  void Promise.all(
    [...Object.values(caches), ...(podCache ? [podCache] : [])].map((cache) => cache.synced()),
  ).then(() => {
    synced = true;
    schedule();
  });

  function follow<T extends KubeObject>(cache: Informer<T>, note: (object: T) => void): { close(): void } {
    const touch = (object: T): void => {
      note(object);
      schedule();
    };
    return cache.addHandler({ onAdd: touch, onUpdate: touch, onDelete: touch });
  }

  function schedule(): void {
    if (!synced || running || stopped || (!replan && moved.size === 0)) return;
    running = new Promise<void>((resolve) => setImmediate(resolve))
      .then(flush)
      .catch((error: unknown) => {
        options.onError(error);
        retry ??= clock.after(retryMs, () => {
          retry = undefined;
          replan = true;
          schedule();
        });
      })
      .finally(() => {
        running = undefined;
        schedule();
      });
  }

  async function flush(): Promise<void> {
    const changed = new Set(moved);
    moved.clear();
    if (replan) {
      replan = false;
      await sync();
    } else
      await sendUpstreams([...refs.values()].filter((ref) => changed.has(`${ref.namespace}/${ref.service}`)));
  }

  /** From when on the kinds of the Gateway API are served, they are followed; anew when more of them are. */
  async function followGateways(): Promise<void> {
    if (!['gatewayclasses', 'gateways', 'httproutes'].every((name) => serves(name, 'v1'))) return;
    const optional = {
      grpcRoutes: serves('grpcroutes', 'v1'),
      referenceGrants: serves('referencegrants', 'v1beta1'),
    };
    if (gateways && isDeepStrictEqual(gateways.serves, optional)) return;
    const { startGatewaySource } = await import('./gateway/gateway-source.ts');
    if (stopped) return;
    gateways?.close();
    gateways = startGatewaySource({
      client,
      informers,
      clock,
      place: options.place,
      serves: optional,
      onChange() {
        replan = true;
        schedule();
      },
    });
    await Promise.race([gateways.synced(), ending]);
  }

  function serves(resource: string, version: string): boolean {
    const definition: CustomResourceDefinition | undefined = caches.definitions.get(
      undefined,
      `${resource}.${gatewayGroup}`,
    );
    return (
      isConditionTrue(definition?.status?.conditions ?? [], 'Established') &&
      definition?.spec.versions.find(({ name }) => name === version)?.served === true
    );
  }

  async function sync(): Promise<void> {
    await followGateways();
    const world = {
      service: (namespace: string, name: string) => caches.services.get(namespace, name),
      secret: (namespace: string, name: string) => caches.secrets.get(namespace, name),
    };
    if (stopped) return;
    const gatewayPlan = gateways?.plan(world);
    const plan = planIngresses({
      ingresses: caches.ingresses.list(),
      classes: caches.classes.list(),
      ...world,
    });
    const wanted = [...plan.upstreams, ...(gatewayPlan?.upstreams ?? [])];
    refs = new Map(wanted.map((ref) => [upstreamName(ref), ref]));
    await sendUpstreams([...refs.values()]);
    await listen([
      ...frontend.listeners(plan),
      ...(gateways && gatewayPlan ? gateways.listeners(gatewayPlan) : []),
    ]);
    tell(plan.problems);
    await report(plan, gatewayPlan);
    await dropUpstreams();
  }

  async function listen(next: readonly ProxyListener[]): Promise<void> {
    if (isDeepStrictEqual(next, listeners)) return;
    ports = await (await opened()).configure({ listeners: next });
    listeners = next;
    for (const [name, port] of Object.entries(ports))
      if ('error' in port) options.onError(new Error(`${name}: ${port.error}`));
  }

  async function report(plan: IngressPlan, gatewayPlan: GatewayPlan | undefined): Promise<void> {
    const address = await frontend.announce({ ports, metricsPort, serves: plan.served.length > 0 });
    const served = new Set(plan.served.map(({ metadata }) => metadata.uid));
    const others = caches.ingresses.list().filter(({ metadata }) => !served.has(metadata.uid));
    await statuses.write(plan.served, others, address);
    if (gatewayPlan) await gateways?.report(gatewayPlan, ports);
  }

  /** An upstream is sent before the routes to it, and taken back after them. */
  async function sendUpstreams(wanted: readonly UpstreamRef[]): Promise<void> {
    const set: Upstream[] = [];
    const lookup = (namespace: string, name: string): Service | undefined =>
      caches.services.get(namespace, name);
    for (const ref of wanted) {
      const key = `${ref.namespace}/${ref.service}`;
      const name = upstreamName(ref);
      const service = caches.services.get(ref.namespace, ref.service);
      const slices = [
        ...caches.slices.byIndex(serviceNameLabel, key),
        ...(podCache ? slicesOfPods(service, podCache.list(ref.namespace)) : []),
      ];
      const upstream = planUpstream(ref, service, slices, lookup) ?? {
        name,
        protocol: 'http1',
        endpoints: [],
      };
      if (isDeepStrictEqual(known.get(name), upstream)) continue;
      known.set(name, upstream);
      set.push(upstream);
    }
    if (set.length > 0) await (await opened()).updateUpstreams({ set, removed: [] });
  }

  async function dropUpstreams(): Promise<void> {
    const removed = [...known.keys()].filter((name) => !refs.has(name));
    if (removed.length === 0) return;
    for (const name of removed) known.delete(name);
    await (await opened()).updateUpstreams({ set: [], removed });
  }

  /** Each problem is told once, and again when it came back. */
  function tell(problems: readonly IngressProblem[]): void {
    const now = new Map<string, string[]>();
    for (const { ingress, reason, message } of problems) {
      const { uid } = ingress.metadata;
      now.set(uid, [...(now.get(uid) ?? []), message]);
      if (!told.get(uid)?.includes(message)) events.record(ingress, 'Warning', reason, message);
    }
    told.clear();
    for (const [uid, messages] of now) told.set(uid, messages);
  }

  function opened(): Promise<IngressProxy> {
    proxy ??= open();
    return proxy;
  }

  async function open(): Promise<IngressProxy> {
    const { workerFile } = options;
    const next = workerFile
      ? createWorkerIngressProxy({ workerFile, onCrash: options.onError })
      : (await import('./proxy/ingress-proxy.ts')).createIngressProxy(clock, Math.random);
    metricsPort = await next.start({
      metrics: { address: options.place.address, port: 0 },
      ...(options.accessLog && { accessLog: options.accessLog }),
    });
    return next;
  }

  return {
    portTaken(port) {
      frontend.portTaken(port);
      replan = true;
      schedule();
    },
    async stop() {
      stopped = true;
      end();
      retry?.cancel();
      for (const handler of handlers) handler.close();
      gateways?.close();
      await running;
      await (await proxy)?.close();
    },
  };
}

function serviceKey({ metadata }: KubeObject): string | undefined {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}
