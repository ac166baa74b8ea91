import { join } from 'node:path';
import { services, type Service } from '../../api/core/v1.gen.ts';
import type { InformerFactory } from '../../reconcile/informer.ts';
import { serveRelay } from './relay.ts';
import type { RootlessPlace } from './rootless.ts';

export interface InsideOptions {
  readonly place: RootlessPlace;
  readonly informers: InformerFactory;
  /** Tells the process outside which ports it should carry. */
  announce(ports: readonly number[]): void;
}

/** Lets the process outside reach the API and the services in here. */
export async function openInside({ place, informers, announce }: InsideOptions): Promise<{ close(): void }> {
  const server = await serveRelay(join(place.directory, 'in.sock'));
  const cache = informers.for(services);
  const tell = (): void => announce(portsOf(cache.list()));
  const handler = cache.addHandler({ onAdd: tell, onUpdate: tell, onDelete: tell });
  return {
    close() {
      handler.close();
      server.close();
    },
  };
}

/** The TCP ports of the machine at which services answer: node ports, and those of load balancers above 1023. */
export function portsOf(all: readonly Service[]): readonly number[] {
  const ports = all.flatMap(({ spec }) =>
    (spec?.ports ?? [])
      .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
      .flatMap(({ port, nodePort }) => [
        ...(nodePort ? [nodePort] : []),
        ...(spec?.type === 'LoadBalancer' && port > 1023 ? [port] : []),
      ]),
  );
  return [...new Set(ports)];
}
