/** What the proxy of Ingress and Gateway API serves. All of it is plain data, so that the proxy can run in a thread of its own. */
export interface ProxyConfiguration {
  readonly listeners: readonly ProxyListener[];
}

/** One port on which the proxy listens. */
export interface ProxyListener {
  /** Unique: `ingress/80`, `gateway/NAMESPACE/NAME/80`. */
  readonly name: string;
  readonly address: string;
  /** The ports that are tried, in this order; 0 is any free one. What was found is kept while the listener exists. */
  readonly ports: readonly number[];
  /** The port that clients see; absent: the one listened on. */
  readonly publicPort?: number;
  readonly tls?: { readonly certificates: readonly ProxyCertificate[] };
  readonly scopes: readonly RouteScope[];
}

export interface ProxyCertificate {
  /** Host names and `*.` names that it is for; empty: whoever else asks. */
  readonly hosts: readonly string[];
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

/** Routes for some hosts. Of the scopes of a listener the one with the most specific host is searched, and no other. */
export interface RouteScope {
  /** A {@link Route.host}. */
  readonly host: string;
  /** Whether it is served over HTTP/1.1 and HTTP/2 alike is not decided here: each is. */
  readonly routes: readonly Route[];
}

/** One match and what is done with its requests. Of routes for one host the first that matches counts. */
export interface Route {
  /** For the access log and metrics: `Ingress/default/web`. */
  readonly name: string;
  /** `a.example`; `*.example` has one label for the star, `**.example` one or more; empty: any host. */
  readonly host: string;
  readonly match: RouteMatch;
  readonly filters: RouteFilters;
  /** Requests are spread over these by weight; none at all answers 500. */
  readonly backends: readonly RouteBackend[];
  /** From the arrival of the request until it is answered; absent or 0: for ever. */
  readonly requestTimeoutMs?: number;
  /** The same for each backend that is tried. */
  readonly backendTimeoutMs?: number;
}

export interface RouteMatch {
  readonly path?: PathMatch;
  readonly method?: string;
  readonly headers?: readonly ValueMatch[];
  readonly query?: readonly ValueMatch[];
}

/** `prefix` counts whole path elements; `regex` is RE2 and must match the whole path. */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'regex';
  readonly value: string;
}

export interface ValueMatch {
  readonly name: string;
  readonly kind: 'exact' | 'regex';
  readonly value: string;
}

export interface RouteFilters {
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
  readonly redirect?: Redirect;
  readonly rewrite?: { readonly hostname?: string; readonly path?: PathChange };
  readonly mirrors?: readonly Mirror[];
  readonly cors?: Cors;
}

export interface HeaderChange {
  readonly set: readonly NameValue[];
  readonly add: readonly NameValue[];
  readonly remove: readonly string[];
}

export interface NameValue {
  readonly name: string;
  readonly value: string;
}

/** `prefix` replaces what the route's path prefix matched. */
export type PathChange =
  | { readonly kind: 'full'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string };

export interface Redirect {
  readonly scheme?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: PathChange;
  readonly status: number;
}

export interface Mirror {
  /** Name of an {@link Upstream}. */
  readonly upstream: string;
  /** Share of requests from 0 to 1. */
  readonly share: number;
}

export interface Cors {
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
}

export interface RouteBackend {
  /** Name of an {@link Upstream}; absent: whoever is sent here gets `status`. */
  readonly upstream?: string;
  readonly weight: number;
  /** Default 500. */
  readonly status?: number;
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
  readonly mirrors?: readonly Mirror[];
}

/** A port of a Service, with where it leads now. */
export interface Upstream {
  /** `namespace/service:port`. */
  readonly name: string;
  /** `h2c`: HTTP/2 with prior knowledge. `https`: HTTP/1.1 over TLS. */
  readonly protocol: 'http1' | 'h2c' | 'https';
  /** In a stable order; empty: requests are answered with 503. */
  readonly endpoints: readonly UpstreamEndpoint[];
  /** Checks the certificates of `https`: the name they are for and the authorities; absent: any certificate will do. */
  readonly tls?: { readonly serverName: string; readonly authorities?: string };
}

export interface UpstreamEndpoint {
  readonly ip: string;
  readonly port: number;
}

export interface UpstreamChange {
  readonly set: readonly Upstream[];
  readonly removed: readonly string[];
}
