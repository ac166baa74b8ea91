import { services, type Service } from '../../../api/core/v1.gen.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Client } from '../../../client/client.ts';
import type { KubeObject, Live } from '../../../machinery/object.ts';
import type { Informer, InformerFactory } from '../../../reconcile/informer.ts';
import { namespaces } from '../../../api/core/v1.gen.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import { ensureFrontendService } from '../ensure-frontend-service.ts';
import { portsFor, type FrontendPlace } from '../ingress-frontend.ts';
import type { ListenerPorts } from '../proxy/ingress-proxy.ts';
import type { ProxyListener } from '../proxy/proxy-configuration.ts';
import {
  gatewayClasses,
  gatewayGroup,
  gateways,
  grpcRoutes,
  httpRoutes,
  referenceGrants,
  type Gateway,
} from './gateway-api.ts';
import { createGatewayStatusWriter, type GatewayAddress } from './gateway-statuses.ts';
import { condition } from './plan-listeners.ts';
import { planGateways, type GatewayPlan, type GatewayWorld, type PlannedGateway } from './plan-gateways.ts';

export interface GatewaySourceOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly place: FrontendPlace;
  /** Which of the optional kinds are served. */
  readonly serves: { readonly grpcRoutes: boolean; readonly referenceGrants: boolean };
  /** Something changed that may change the plan. */
  onChange(): void;
}

/** Gateways and their routes, followed. */
export interface GatewaySource {
  /** Which of the optional kinds it follows. */
  readonly serves: GatewaySourceOptions['serves'];
  /** Resolves when the first lists are there. */
  synced(): Promise<void>;
  plan(world: Pick<GatewayWorld, 'service' | 'secret'>): GatewayPlan;
  listeners(plan: GatewayPlan): readonly ProxyListener[];
  /** Makes the ways to the Gateways, and says in the objects how they do. */
  report(plan: GatewayPlan, ports: ListenerPorts): Promise<void>;
  close(): void;
}

const nameLabel = `${gatewayGroup}/gateway-name`;
const managedLabel = 'app.kubernetes.io/managed-by';
const managed = 'kanoe-gateway';

export function startGatewaySource(options: GatewaySourceOptions): GatewaySource {
  const { client, clock, informers, onChange, place, serves } = options;
  const caches = {
    classes: informers.for(gatewayClasses),
    gateways: informers.for(gateways),
    http: informers.for(httpRoutes),
    namespaces: informers.for(namespaces),
  };
  const grpc = serves.grpcRoutes ? informers.for(grpcRoutes) : undefined;
  const grants = serves.referenceGrants ? informers.for(referenceGrants) : undefined;
  const serviceCache = informers.for(services);
  const statuses = createGatewayStatusWriter(client, clock);
  const announced = new Map<string, string>();
  /** Routes whose status has an entry of ours. */
  const told = new Map<string, 'HTTPRoute' | 'GRPCRoute'>();

  const handlers = [
    follow(caches.classes),
    follow(caches.gateways),
    follow(caches.http),
    follow(caches.namespaces),
    ...(grpc ? [follow(grpc)] : []),
    ...(grants ? [follow(grants)] : []),
  ];
  informers.start();

  function follow<T extends KubeObject>(cache: Informer<T>): { close(): void } {
    return cache.addHandler({ onAdd: onChange, onUpdate: onChange, onDelete: onChange });
  }

  function requestedIp({ spec }: Gateway): string | undefined {
    return spec.addresses?.find(({ type = 'IPAddress', value }) => type === 'IPAddress' && value)?.value;
  }

  async function announce(planned: PlannedGateway, ports: ListenerPorts): Promise<GatewayAddress> {
    const { gateway } = planned;
    const bound = planned.ports.flatMap(({ name, publicPort = 0 }) => {
      const found = ports[name];
      return found && 'port' in found
        ? [{ name: `port-${publicPort}`, port: publicPort, targetPort: found.port }]
        : [];
    });
    if (bound.length === 0)
      return {
        problem: condition('Programmed', 'False', 'Invalid', 'no listener of the Gateway can be served'),
      };
    if (place.kind === 'loopback') return { ip: place.address };
    const { namespace = 'default', name, uid } = gateway.metadata;
    const asked = requestedIp(gateway);
    const key = `${namespace}/${serviceName(gateway)}`;
    const state = JSON.stringify([bound, asked, gateway.spec.infrastructure]);
    const current = serviceCache.get(namespace, serviceName(gateway));
    if (announced.get(key) !== state || !current) {
      await ensureFrontendService(client, {
        namespace,
        name: serviceName(gateway),
        type: 'LoadBalancer',
        labels: {
          ...gateway.spec.infrastructure?.labels,
          [nameLabel]: name.slice(0, 63),
          [managedLabel]: managed,
        },
        ...(gateway.spec.infrastructure?.annotations && {
          annotations: gateway.spec.infrastructure.annotations,
        }),
        owner: { apiVersion: `${gatewayGroup}/v1`, kind: 'Gateway', name, uid, controller: true },
        address: place.address,
        ports: bound,
        ...(asked !== undefined && { balancerIP: asked }),
      });
      announced.set(key, state);
    }
    const ip = current?.status?.loadBalancer?.ingress?.[0]?.ip;
    if (ip !== undefined && asked !== undefined && ip !== asked)
      return {
        problem: condition(
          'Programmed',
          'False',
          'AddressNotUsable',
          `the address ${asked} cannot be given; the Gateway would answer at ${ip}`,
        ),
      };
    return ip === undefined ? {} : { ip };
  }

  async function removeServices(plan: GatewayPlan): Promise<void> {
    const wanted = new Set(
      plan.gateways
        .filter(({ ports }) => ports.length > 0)
        .map(({ gateway }) => `${gateway.metadata.namespace}/${serviceName(gateway)}`),
    );
    const stale = serviceCache
      .list()
      .filter(
        ({ metadata }) =>
          metadata.labels?.[managedLabel] === managed &&
          metadata.deletionTimestamp === undefined &&
          !wanted.has(`${metadata.namespace}/${metadata.name}`),
      );
    await Promise.all(stale.map(removeService));
  }

  async function removeService({ metadata }: Live<Service>): Promise<void> {
    const { namespace = 'default', name } = metadata;
    announced.delete(`${namespace}/${name}`);
    try {
      await client.for(services).delete({ namespace, name });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  /** Routes that no longer refer to a Gateway of ours lose what was said of them. */
  async function writeRoutes(plan: GatewayPlan): Promise<void> {
    const now = new Map(plan.routes.map(({ route, kind }) => [route.metadata.uid, kind]));
    const left = [...told].filter(([uid]) => !now.has(uid));
    told.clear();
    for (const [uid, kind] of now) told.set(uid, kind);
    const forgotten = left.flatMap(([uid, kind]) => {
      const cache = kind === 'HTTPRoute' ? caches.http.list() : (grpc?.list() ?? []);
      const route = cache.find(({ metadata }) => metadata.uid === uid);
      return route ? [{ route, kind, parents: [] }] : [];
    });
    await Promise.all([...plan.routes, ...forgotten].map((planned) => statuses.writeRoute(planned)));
  }

  return {
    serves,
    async synced() {
      const all = [...Object.values(caches), ...(grpc ? [grpc] : []), ...(grants ? [grants] : [])];
      await Promise.all(all.map((cache) => cache.synced()));
    },
    plan: (world) =>
      planGateways({
        ...world,
        classes: caches.classes.list(),
        gateways: caches.gateways.list(),
        httpRoutes: caches.http.list(),
        grpcRoutes: grpc?.list() ?? [],
        grants: grants?.list() ?? [],
        labelsOf: (namespace) => caches.namespaces.get(undefined, namespace)?.metadata.labels ?? {},
      }),
    listeners: ({ gateways: planned }) =>
      planned.flatMap(({ ports }) =>
        ports.map(({ publicPort = 0, ...port }): ProxyListener => ({
          ...port,
          address: place.address,
          ...portsFor(place, publicPort),
        })),
      ),
    async report(plan, ports) {
      await Promise.all(plan.classes.map((planned) => statuses.writeClass(planned)));
      await Promise.all(
        plan.gateways.map(async (planned) => statuses.writeGateway(planned, await announce(planned, ports))),
      );
      await writeRoutes(plan);
      await removeServices(plan);
    },
    close() {
      for (const handler of handlers) handler.close();
    },
  };
}

/** The Service that leads to a Gateway; its name has at most 63 characters. */
function serviceName({ metadata }: Live<Gateway>): string {
  const { name, uid } = metadata;
  return name.length <= 57 && !name.includes('.') ? `${name}-kanoe` : `gateway-${uid.slice(0, 8)}-kanoe`;
}
