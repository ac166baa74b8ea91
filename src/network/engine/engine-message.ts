import type { PortConflict, ServiceChange } from '../service-proxy.ts';
import type { DnsChange, DnsConfiguration } from './network-engine.ts';

/** What a caller asks of an engine in another thread. */
export type EngineCall =
  | { readonly method: 'startDns'; readonly argument: DnsConfiguration }
  | { readonly method: 'updateDns'; readonly argument: DnsChange }
  | { readonly method: 'startProxy'; readonly argument: string }
  | { readonly method: 'updateServices'; readonly argument: ServiceChange };

export interface EngineRequest {
  readonly id: number;
  readonly call: EngineCall;
}

export type EngineReply =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string }
  | { readonly kind: 'conflict'; readonly conflict: PortConflict };
