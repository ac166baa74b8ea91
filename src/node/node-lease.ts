import { microTimestamp, sleep, type Clock } from '../base/clock.ts';
import { leases, type Lease } from '../api/coordination/v1.gen.ts';
import type { Node } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import { unlessGone } from '../machinery/unless-gone.ts';

const NAMESPACE = 'kube-node-lease';
const DEFAULT_SECONDS = 40;

export interface NodeLeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly node: Live<Node>;
  /** The kubelet's `nodeLeaseDurationSeconds`; default 40. */
  readonly durationSeconds?: number;
  readonly signal: AbortSignal;
  onError(error: unknown): void;
}

/** Renews the node's Lease four times in its duration until the signal aborts; failures are retried at the next turn. */
export async function keepNodeLease(options: NodeLeaseOptions): Promise<void> {
  const { clock, signal } = options;
  let held: Live<Lease> | undefined;
  while (!signal.aborted) {
    try {
      held = await renew(options, held);
    } catch (error) {
      held = undefined;
      if (!signal.aborted) options.onError(error);
    }
    await sleep(clock, durationOf(options) * 250, signal).catch(() => undefined);
  }
}

function durationOf({ durationSeconds = DEFAULT_SECONDS }: NodeLeaseOptions): number {
  return durationSeconds;
}

async function renew(options: NodeLeaseOptions, held: Live<Lease> | undefined): Promise<Live<Lease>> {
  const { client, clock, node } = options;
  const { name, uid } = node.metadata;
  const resource = client.for(leases);
  const spec = {
    holderIdentity: name,
    leaseDurationSeconds: durationOf(options),
    renewTime: microTimestamp(clock.now()),
  };
  const found = held ?? (await find());
  if (found) return resource.update({ ...found, spec: { ...found.spec, ...spec } });
  return resource.create({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      namespace: NAMESPACE,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
    },
    spec,
  });

  async function find(): Promise<Live<Lease> | undefined> {
    return await unlessGone(resource.get({ namespace: NAMESPACE, name }));
  }
}
