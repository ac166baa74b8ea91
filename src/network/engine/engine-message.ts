import type { PortConflict, ServiceChange } from '../service-proxy.ts';
import type { DnsChange, DnsConfiguration } from './network-engine.ts';

/** What a caller asks of an engine in another thread. */
export type EngineCall =
  | { readonly method: 'startDns'; readonly argument: DnsConfiguration }
  | { readonly method: 'updateDns'; readonly argument: DnsChange }
  | { readonly method: 'startProxy'; readonly argument: string }
  | { readonly method: 'updateServices'; readonly argument: ServiceChange };

/** What an engine tells of its own accord. */
export interface ConflictNotice {
  readonly kind: 'conflict';
  readonly conflict: PortConflict;
}
