import type { Clock } from '../base/clock.ts';
import { services, type Service } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import { reflect } from '../reconcile/reflector.ts';

export interface ServiceSource {
  /** Waits for the first list. */
  all(): Promise<readonly Service[]>;
}

/** Watches all services, whose addresses pods find in their environment. */
export function followServices(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onError(error: unknown): void;
}): ServiceSource {
  const held = new Map<string, Live<Service>>();
  let listed = (): void => undefined;
  const first = new Promise<void>((resolve) => (listed = resolve));
  void reflect({
    resource: options.client.for(services),
    clock: options.clock,
    signal: options.signal,
    replace: (list) => {
      held.clear();
      for (const service of list) held.set(service.metadata.uid, service);
      listed();
    },
    apply: ({ type, object }) => {
      if (type === 'DELETED') held.delete(object.metadata.uid);
      else held.set(object.metadata.uid, object);
    },
    onError: options.onError,
  });
  return {
    all: async () => {
      await first;
      return [...held.values()];
    },
  };
}
