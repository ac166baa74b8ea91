import { isDeepStrictEqual } from 'node:util';
import { ingresses, type Ingress, type IngressLoadBalancerIngress } from '../../api/networking/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { Live } from '../../machinery/object.ts';
import type { EventRecorder } from '../../reconcile/event-recorder.ts';

/** Where Ingresses answer. */
export interface IngressAddress {
  readonly ip: string;
  readonly http: number;
  readonly https: number;
}

/** Keeps `status.loadBalancer` of Ingresses. */
export interface IngressStatusWriter {
  /** Says where these answer, and that those which left do not any more. */
  write(
    served: readonly Live<Ingress>[],
    others: readonly Live<Ingress>[],
    address: IngressAddress | undefined,
  ): Promise<void>;
}

export function createIngressStatusWriter(client: Client, events: EventRecorder): IngressStatusWriter {
  /** UIDs of those that this process wrote. */
  const written = new Set<string>();

  async function put(ingress: Live<Ingress>, ingress_: readonly IngressLoadBalancerIngress[]): Promise<void> {
    const loadBalancer = ingress_.length > 0 ? { ingress: ingress_ } : {};
    if (isDeepStrictEqual(ingress.status?.loadBalancer ?? {}, loadBalancer)) return;
    try {
      await client.for(ingresses).updateStatus({ ...ingress, status: { loadBalancer } });
    } catch (error) {
      // A newer version of it is on its way here, or it is gone.
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error;
      return;
    }
    const [first] = ingress_;
    if (first)
      events.record(
        ingress,
        'Normal',
        'Served',
        `answers at ${first.ip}, ports ${(first.ports ?? []).map(({ port }) => port).join(' and ')}`,
      );
  }

  return {
    async write(served, others, address) {
      const ports = address ? [address.http, address.https].map((port) => ({ port, protocol: 'TCP' })) : [];
      const target = address ? [{ ip: address.ip, ports }] : [];
      await Promise.all([
        ...served.map(async (ingress) => {
          if (address) written.add(ingress.metadata.uid);
          if (address || written.has(ingress.metadata.uid)) await put(ingress, target);
        }),
        ...others.map(async (ingress) => {
          if (written.delete(ingress.metadata.uid)) await put(ingress, []);
        }),
      ]);
    },
  };
}
