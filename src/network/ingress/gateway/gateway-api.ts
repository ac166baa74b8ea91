import type { Condition } from '../../../machinery/meta/v1.gen.ts';
import type { KubeObject, ResourceType } from '../../../machinery/object.ts';
import type { LabelSelector } from '../../../machinery/meta/v1.gen.ts';

/** What GatewayClasses name as their controller when this one serves them. */
export const gatewayController: string = 'kanoe.io/gateway';

/** The API group of everything here. */
export const gatewayGroup: string = 'gateway.networking.k8s.io';

export interface GatewayClass extends KubeObject {
  readonly spec: {
    readonly controllerName: string;
    readonly description?: string;
    readonly parametersRef?: { readonly group: string; readonly kind: string; readonly name: string };
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly supportedFeatures?: readonly { readonly name: string }[];
  };
}

export interface Gateway extends KubeObject {
  readonly spec: {
    readonly gatewayClassName: string;
    readonly listeners: readonly Listener[];
    readonly addresses?: readonly { readonly type?: string; readonly value?: string }[];
    readonly infrastructure?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly parametersRef?: object;
    };
  };
  readonly status?: GatewayStatus;
}

export interface GatewayStatus {
  readonly addresses?: readonly { readonly type?: string; readonly value: string }[];
  readonly conditions?: readonly Condition[];
  readonly listeners?: readonly ListenerStatus[];
}

export interface Listener {
  readonly name: string;
  readonly hostname?: string;
  readonly port: number;
  readonly protocol: string;
  readonly tls?: {
    readonly mode?: string;
    readonly certificateRefs?: readonly SecretRef[];
  };
  readonly allowedRoutes?: {
    readonly namespaces?: { readonly from?: string; readonly selector?: LabelSelector };
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[];
  };
}

export interface SecretRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly weight?: number;
}

export interface RouteFilter {
  readonly type: string;
  readonly requestHeaderModifier?: HeaderModifier;
  readonly responseHeaderModifier?: HeaderModifier;
  readonly requestMirror?: {
    readonly backendRef: BackendRef;
    readonly percent?: number;
    readonly fraction?: { readonly numerator: number; readonly denominator?: number };
  };
  readonly requestRedirect?: {
    readonly scheme?: string;
    readonly hostname?: string;
    readonly port?: number;
    readonly path?: PathModifier;
    readonly statusCode?: number;
  };
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier };
  readonly cors?: {
    readonly allowOrigins?: readonly string[];
    readonly allowMethods?: readonly string[];
    readonly allowHeaders?: readonly string[];
    readonly exposeHeaders?: readonly string[];
    readonly allowCredentials?: boolean;
    readonly maxAge?: number;
  };
}

export interface HeaderModifier {
  readonly set?: readonly { readonly name: string; readonly value: string }[];
  readonly add?: readonly { readonly name: string; readonly value: string }[];
  readonly remove?: readonly string[];
}

export interface PathModifier {
  readonly type: string;
  readonly replaceFullPath?: string;
  readonly replacePrefixMatch?: string;
}

export interface HeaderMatch {
  readonly type?: string;
  readonly name: string;
  readonly value: string;
}

export interface RouteBackendRef extends BackendRef {
  readonly filters?: readonly RouteFilter[];
}

interface RouteSpec<Rule> {
  readonly parentRefs?: readonly ParentRef[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly Rule[];
}

export interface HttpRouteMatch {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly headers?: readonly HeaderMatch[];
  readonly queryParams?: readonly HeaderMatch[];
  readonly method?: string;
}

export interface HttpRouteRule {
  readonly matches?: readonly HttpRouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly RouteBackendRef[];
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string };
}

export interface GrpcRouteMatch {
  readonly method?: { readonly type?: string; readonly service?: string; readonly method?: string };
  readonly headers?: readonly HeaderMatch[];
}

export interface GrpcRouteRule {
  readonly matches?: readonly GrpcRouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly RouteBackendRef[];
}

export interface RouteStatus {
  readonly parents: readonly RouteParentStatus[];
}

export interface RouteParentStatus {
  readonly parentRef: ParentRef;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

export interface HttpRoute extends KubeObject {
  readonly spec: RouteSpec<HttpRouteRule>;
  readonly status?: RouteStatus;
}

export interface GrpcRoute extends KubeObject {
  readonly spec: RouteSpec<GrpcRouteRule>;
  readonly status?: RouteStatus;
}

export interface ReferenceGrant extends KubeObject {
  readonly spec: {
    readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
    readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
  };
}

const common = { group: gatewayGroup, categories: ['gateway-api'] } as const;

export const gatewayClasses: ResourceType<GatewayClass> = {
  ...common,
  version: 'v1',
  resource: 'gatewayclasses',
  kind: 'GatewayClass',
  singular: 'gatewayclass',
  shortNames: ['gc'],
  namespaced: false,
};

export const gateways: ResourceType<Gateway> = {
  ...common,
  version: 'v1',
  resource: 'gateways',
  kind: 'Gateway',
  singular: 'gateway',
  shortNames: ['gtw'],
  namespaced: true,
};

export const httpRoutes: ResourceType<HttpRoute> = {
  ...common,
  version: 'v1',
  resource: 'httproutes',
  kind: 'HTTPRoute',
  singular: 'httproute',
  shortNames: [],
  namespaced: true,
};

export const grpcRoutes: ResourceType<GrpcRoute> = {
  ...common,
  version: 'v1',
  resource: 'grpcroutes',
  kind: 'GRPCRoute',
  singular: 'grpcroute',
  shortNames: [],
  namespaced: true,
};

export const referenceGrants: ResourceType<ReferenceGrant> = {
  ...common,
  version: 'v1beta1',
  resource: 'referencegrants',
  kind: 'ReferenceGrant',
  singular: 'referencegrant',
  shortNames: ['refgrant'],
  namespaced: true,
};
