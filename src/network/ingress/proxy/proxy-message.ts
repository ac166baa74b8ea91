import type { ProxySettings } from './ingress-proxy.ts';
import type { ProxyConfiguration, UpstreamChange } from './proxy-configuration.ts';

/** What a caller asks of a proxy in another thread. */
export type ProxyCall =
  | { readonly method: 'start'; readonly argument: ProxySettings }
  | { readonly method: 'configure'; readonly argument: ProxyConfiguration }
  | { readonly method: 'updateUpstreams'; readonly argument: UpstreamChange }
  | { readonly method: 'close' };
