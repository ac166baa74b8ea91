import { isDeepStrictEqual } from 'node:util';
import { timestamp, type Clock } from '../../../base/clock.ts';
import type { Client, ResourceClient } from '../../../client/client.ts';
import type { Condition } from '../../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live } from '../../../machinery/object.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import {
  gatewayClasses,
  gatewayController,
  gatewayGroup,
  gateways,
  grpcRoutes,
  httpRoutes,
  type GatewayStatus,
  type GrpcRoute,
  type HttpRoute,
  type RouteStatus,
} from './gateway-api.ts';
import { condition, type PlannedCondition } from './plan-listeners.ts';
import type { PlannedClass, PlannedGateway, PlannedRoute } from './plan-gateways.ts';

/** Where a Gateway answers. */
export interface GatewayAddress {
  /** Absent while there is none. */
  readonly ip?: string;
  /** Why it is not the one that was asked for, or why there is none. */
  readonly problem?: PlannedCondition;
}

/** Keeps the status of GatewayClasses, Gateways and routes. */
export interface GatewayStatusWriter {
  writeClass(planned: PlannedClass): Promise<void>;
  writeGateway(planned: PlannedGateway, address: GatewayAddress): Promise<void>;
  writeRoute(planned: Pick<PlannedRoute, 'route' | 'kind' | 'parents'>): Promise<void>;
}

/** Names of optional features of the Gateway API's conformance tests that are there. */
const features = [
  'GRPCRoute',
  'Gateway',
  'GatewayHTTPListenerIsolation',
  'GatewayPort8080',
  'GatewayStaticAddresses',
  'HTTPRoute',
  'HTTPRoute303RedirectStatusCode',
  'HTTPRoute307RedirectStatusCode',
  'HTTPRoute308RedirectStatusCode',
  'HTTPRouteBackendProtocolH2C',
  'HTTPRouteBackendProtocolWebSocket',
  'HTTPRouteBackendRequestHeaderModification',
  'HTTPRouteBackendTimeout',
  'HTTPRouteCORS',
  'HTTPRouteDestinationPortMatching',
  'HTTPRouteHostRewrite',
  'HTTPRouteMethodMatching',
  'HTTPRouteNamedRouteRule',
  'HTTPRouteParentRefPort',
  'HTTPRoutePathRedirect',
  'HTTPRoutePathRewrite',
  'HTTPRoutePortRedirect',
  'HTTPRouteQueryParamMatching',
  'HTTPRouteRequestMirror',
  'HTTPRouteRequestMultipleMirrors',
  'HTTPRouteRequestPercentageMirror',
  'HTTPRouteRequestTimeout',
  'HTTPRouteResponseHeaderModification',
  'HTTPRouteSchemeRedirect',
  'ReferenceGrant',
];

export function createGatewayStatusWriter(client: Client, clock: Clock): GatewayStatusWriter {
  function merged(
    object: KubeObject,
    before: readonly Condition[] | undefined,
    wanted: readonly PlannedCondition[],
  ): readonly Condition[] {
    const others = (before ?? []).filter(({ type }) => !wanted.some((one) => one.type === type));
    return [
      ...wanted.map(({ type, status, reason, message }): Condition => {
        const old = before?.find((one) => one.type === type);
        return {
          type,
          status,
          reason,
          message,
          observedGeneration: object.metadata.generation ?? 0,
          lastTransitionTime: old?.status === status ? old.lastTransitionTime : timestamp(clock.now()),
        };
      }),
      ...others,
    ];
  }

  async function put<T extends KubeObject & { readonly status?: object }>(
    resource: ResourceClient<T>,
    object: Live<T>,
    status: object,
  ): Promise<void> {
    if (isDeepStrictEqual(object.status, status)) return;
    try {
      await resource.updateStatus({ ...object, status });
    } catch (error) {
      // A newer version of it is on its way here, or it is gone.
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error;
    }
  }

  return {
    writeClass: ({ gatewayClass, accepted }) =>
      put(client.for(gatewayClasses), gatewayClass, {
        ...gatewayClass.status,
        conditions: merged(gatewayClass, gatewayClass.status?.conditions, [accepted]),
        supportedFeatures: features.map((name) => ({ name })),
      }),

    writeGateway({ gateway, accepted, listeners }, { ip, problem }) {
      const before = gateway.status;
      const status: GatewayStatus = {
        ...before,
        ...(ip === undefined ? {} : { addresses: [{ type: 'IPAddress', value: ip }] }),
        conditions: merged(gateway, before?.conditions, [accepted, programmed(accepted, problem, ip)]),
        listeners: listeners.map(({ listener, kinds, attached, conditions }) => ({
          name: listener.name,
          supportedKinds: kinds.map((kind) => ({ group: gatewayGroup, kind })),
          attachedRoutes: attached,
          conditions: merged(
            gateway,
            before?.listeners?.find(({ name }) => name === listener.name)?.conditions,
            conditions,
          ),
        })),
      };
      return put(client.for(gateways), gateway, status);
    },

    writeRoute({ route, kind, parents }) {
      const before = route.status?.parents ?? [];
      const foreign = before.filter(({ controllerName }) => controllerName !== gatewayController);
      const own = parents.map(({ parentRef, conditions }) => ({
        parentRef,
        controllerName: gatewayController,
        conditions: merged(
          route,
          before.find(
            (one) => one.controllerName === gatewayController && isDeepStrictEqual(one.parentRef, parentRef),
          )?.conditions,
          conditions,
        ),
      }));
      const status: RouteStatus = { parents: [...foreign, ...own] };
      if (status.parents.length === 0 && before.length === 0) return Promise.resolve();
      return kind === 'HTTPRoute'
        ? put(client.for(httpRoutes), route as Live<HttpRoute>, status)
        : put(client.for(grpcRoutes), route as Live<GrpcRoute>, status);
    },
  };
}

function programmed(
  accepted: PlannedCondition,
  problem: PlannedCondition | undefined,
  ip: string | undefined,
): PlannedCondition {
  if (accepted.status !== 'True') return condition('Programmed', 'False', 'Invalid', accepted.message);
  if (problem) return problem;
  return ip === undefined
    ? condition('Programmed', 'False', 'AddressNotAssigned', 'the Gateway has no address yet')
    : condition('Programmed', 'True', 'Programmed', `the Gateway answers at ${ip}`);
}
