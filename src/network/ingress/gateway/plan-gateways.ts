import type { Secret, Service } from '../../../api/core/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import type { ProxyListener, Route, RouteScope } from '../proxy/proxy-configuration.ts';
import { upstreamName, type UpstreamRef } from '../service-upstream.ts';
import { attachRoute, byAge, isGatewayRef, type Attachment } from './attach-routes.ts';
import {
  gatewayController,
  type Gateway,
  type GatewayClass,
  type GrpcRoute,
  type HttpRoute,
  type ParentRef,
  type ReferenceGrant,
} from './gateway-api.ts';
import { hostsOverlap, tableHost } from './hostnames.ts';
import { condition, planListeners, type PlannedCondition, type PlannedListener } from './plan-listeners.ts';
import { planGrpcRules, planHttpRules, type PlannedRules, type Precedence } from './plan-rules.ts';

export interface GatewayWorld {
  readonly classes: readonly Live<GatewayClass>[];
  readonly gateways: readonly Live<Gateway>[];
  readonly httpRoutes: readonly Live<HttpRoute>[];
  readonly grpcRoutes: readonly Live<GrpcRoute>[];
  readonly grants: readonly ReferenceGrant[];
  labelsOf(namespace: string): Readonly<Record<string, string>>;
  service(namespace: string, name: string): Service | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

export interface GatewayPlan {
  readonly classes: readonly PlannedClass[];
  readonly gateways: readonly PlannedGateway[];
  readonly routes: readonly PlannedRoute[];
  readonly upstreams: readonly UpstreamRef[];
}

export interface PlannedClass {
  readonly gatewayClass: Live<GatewayClass>;
  readonly accepted: PlannedCondition;
}

export interface PlannedGateway {
  readonly gateway: Live<Gateway>;
  readonly accepted: PlannedCondition;
  readonly listeners: readonly (PlannedListener & { readonly attached: number })[];
  /** One for each port. */
  readonly ports: readonly Omit<ProxyListener, 'address' | 'ports'>[];
}

export interface PlannedRoute {
  readonly route: Live<HttpRoute> | Live<GrpcRoute>;
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly parents: readonly {
    readonly parentRef: ParentRef;
    readonly conditions: readonly PlannedCondition[];
  }[];
}

interface Draft extends Pick<PlannedGateway, 'gateway' | 'accepted'> {
  readonly listeners: readonly PlannedListener[];
  readonly attached: Map<PlannedListener, number>;
  readonly routes: Map<PlannedListener, Ranked[]>;
}

interface Ranked {
  readonly kind: PlannedRoute['kind'];
  readonly route: Route;
  readonly precedence: Precedence;
}

/** What the GatewayClasses, Gateways and routes of this controller ask for, by the Gateway API v1. */
export function planGateways(world: GatewayWorld): GatewayPlan {
  const classes = world.classes
    .filter(({ spec }) => spec.controllerName === gatewayController)
    .map((gatewayClass) => ({ gatewayClass, accepted: acceptClass(gatewayClass) }));
  const names = new Set(
    classes.filter(({ accepted }) => accepted.status === 'True').map((one) => one.gatewayClass.metadata.name),
  );
  const drafts = new Map<string, Draft>();
  for (const gateway of world.gateways) {
    if (!names.has(gateway.spec.gatewayClassName) || gateway.metadata.deletionTimestamp !== undefined)
      continue;
    const listeners = planListeners(gateway, world);
    drafts.set(keyOf(gateway.metadata.namespace, gateway.metadata.name), {
      gateway,
      listeners,
      accepted: acceptGateway(gateway, listeners),
      attached: new Map(listeners.map((listener) => [listener, 0])),
      routes: new Map(),
    });
  }
  const upstreams = new Map<string, UpstreamRef>();
  const routes = [
    ...world.httpRoutes.map((route) => ({
      route,
      plan: () => attach('HTTPRoute', route, () => planHttpRules(route, world)),
    })),
    ...world.grpcRoutes.map((route) => ({
      route,
      plan: () => attach('GRPCRoute', route, () => planGrpcRules(route, world)),
    })),
  ]
    .sort((a, b) => byAge(a.route, b.route))
    .map(({ plan }) => plan())
    .filter(({ parents }) => parents.length > 0);
  return {
    classes,
    gateways: [...drafts.values()].map(finishGateway),
    routes,
    upstreams: [...upstreams.values()],
  };

  function attach<T extends Live<HttpRoute> | Live<GrpcRoute>>(
    kind: PlannedRoute['kind'],
    route: T,
    planRules: () => PlannedRules,
  ): PlannedRoute {
    const { namespace = 'default' } = route.metadata;
    const refs = (route.spec.parentRefs ?? []).filter(isGatewayRef);
    let rules: PlannedRules | undefined;
    const counted = new Set<PlannedListener>();
    const parents = refs.flatMap((parentRef) => {
      const draft = drafts.get(keyOf(parentRef.namespace ?? namespace, parentRef.name));
      if (!draft) return [];
      rules ??= planRules();
      const attachment = yieldHosts(
        draft,
        kind,
        attachRoute({ kind, namespace, hostnames: route.spec.hostnames, parentRef }, draft.listeners, {
          gatewayNamespace: draft.gateway.metadata.namespace ?? 'default',
          labelsOf: (name) => world.labelsOf(name),
        }),
      );
      for (const { listener, hosts } of attachment.at) {
        if (counted.has(listener)) continue;
        counted.add(listener);
        draft.attached.set(listener, (draft.attached.get(listener) ?? 0) + 1);
        const list = draft.routes.get(listener) ?? [];
        draft.routes.set(listener, list);
        for (const { precedence, ...planned } of rules.routes)
          for (const host of hosts) list.push({ kind, route: { ...planned, host }, precedence });
      }
      if (attachment.at.length > 0) for (const ref of rules.upstreams) upstreams.set(upstreamName(ref), ref);
      const accepted =
        attachment.accepted.status === 'True' ? (rules.refused ?? attachment.accepted) : attachment.accepted;
      return [{ parentRef, conditions: [accepted, rules.resolved] }];
    });
    return { route, kind, parents };
  }
}

/**
 * At one listener a hostname belongs to routes of one kind: those of the kind that came first. Whoever shares a hostname with a
 * route of the other kind does not attach there.
 */
function yieldHosts({ routes }: Draft, kind: PlannedRoute['kind'], attachment: Attachment): Attachment {
  const at = attachment.at.filter(({ listener, hosts }) =>
    (routes.get(listener) ?? []).every(
      (other) => other.kind === kind || !hosts.some((host) => hostsOverlap(host, other.route.host)),
    ),
  );
  if (at.length === attachment.at.length || at.length > 0) return { ...attachment, at };
  const other = kind === 'HTTPRoute' ? 'a GRPCRoute' : 'an HTTPRoute';
  return {
    accepted: condition(
      'Accepted',
      'False',
      'HostnameConflict',
      `${other} that is older has a hostname of this route at the listener`,
    ),
    at,
  };
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? 'default'}/${name}`;
}

function acceptClass({ spec }: Live<GatewayClass>): PlannedCondition {
  return spec.parametersRef
    ? condition('Accepted', 'False', 'InvalidParameters', 'this controller takes no parameters')
    : condition('Accepted', 'True', 'Accepted', 'Gateways of this class are served');
}

function acceptGateway({ spec }: Live<Gateway>, listeners: readonly PlannedListener[]): PlannedCondition {
  if (spec.infrastructure?.parametersRef)
    return condition('Accepted', 'False', 'InvalidParameters', 'this controller takes no parameters');
  const odd = spec.addresses?.find(({ type = 'IPAddress' }) => type !== 'IPAddress');
  if (odd)
    return condition(
      'Accepted',
      'False',
      'UnsupportedAddress',
      `addresses of type ${odd.type} cannot be asked for`,
    );
  const good = listeners.filter((listener) =>
    listener.conditions.some(({ type, status }) => type === 'Programmed' && status === 'True'),
  ).length;
  if (good === listeners.length) return condition('Accepted', 'True', 'Accepted', 'the Gateway is accepted');
  return condition(
    'Accepted',
    good > 0 ? 'True' : 'False',
    'ListenersNotValid',
    `${listeners.length - good} of ${listeners.length} listeners are not valid`,
  );
}

function finishGateway({ gateway, accepted, listeners, attached, routes }: Draft): PlannedGateway {
  const { namespace, name } = gateway.metadata;
  const numbers = [...new Set(listeners.filter(({ usable }) => usable).map(({ listener }) => listener.port))];
  const ports = numbers.map((port): PlannedGateway['ports'][number] => {
    const here = listeners.filter((one) => one.usable && one.listener.port === port);
    const scopes = here.map((one): RouteScope => ({
      host: tableHost((one.listener.hostname ?? '').toLowerCase()),
      routes: sorted(routes.get(one) ?? []),
    }));
    const secure = here.some(({ listener }) => listener.protocol === 'HTTPS');
    return {
      name: `gateway/${namespace}/${name}/${port}`,
      publicPort: port,
      scopes,
      ...(secure && { tls: { certificates: here.flatMap(({ certificates }) => certificates) } }),
    };
  });
  return {
    gateway,
    accepted,
    listeners: listeners.map((listener) => ({ ...listener, attached: attached.get(listener) ?? 0 })),
    ports: accepted.status === 'True' ? ports : [],
  };
}

/** Routes came in the order of their age, and rules in their own order: that decides between equals. */
function sorted(list: readonly Ranked[]): readonly Route[] {
  return list
    .map((one, at) => ({ ...one, at }))
    .sort((a, b) => compare(b.precedence, a.precedence) || a.at - b.at)
    .map(({ route }) => route);
}

function compare(a: Precedence, b: Precedence): number {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
