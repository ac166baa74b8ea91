import { isDeepStrictEqual } from 'node:util';
import { createBackoff } from '../base/backoff.ts';
import { sleep, type Clock } from '../base/clock.ts';
import { nodes, type Node, type NodeCondition, type NodeStatus } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';

export interface NodeRegistrationOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The node's networks of pods, one of each family. */
  readonly podCIDRs: readonly string[];
  /** The status now, given the conditions reported before. */
  status(previous: readonly NodeCondition[]): Promise<NodeStatus>;
  readonly signal: AbortSignal;
  onError(error: unknown): void;
}

/** Keeps the Node object: made or taken over at the start, its status written on change and every five minutes. */
export class NodeRegistration {
  readonly #options: NodeRegistrationOptions;
  #node: Live<Node> | undefined;
  #writtenAt = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: NodeRegistrationOptions) {
    this.#options = options;
  }

  get node(): Live<Node> | undefined {
    return this.#node;
  }

  /** Retries until the Node object is there with its status; rejects only when the signal aborts. */
  async register(): Promise<Live<Node>> {
    const { clock, signal, onError } = this.#options;
    const backoff = createBackoff({ baseMs: 100, maxMs: 7000 });
    for (;;) {
      signal.throwIfAborted();
      try {
        this.#node = await this.#createOrAdopt();
        await this.refresh();
        return this.#node;
      } catch (error) {
        signal.throwIfAborted();
        onError(error);
        await sleep(clock, backoff.next(), signal);
      }
    }
  }

  /** Writes the status when it changed or five minutes have passed; calls run one after the other. */
  refresh(): Promise<void> {
    const run = (): Promise<void> => this.#refresh();
    const result = this.#writing.then(run, run);
    this.#writing = result.catch(() => undefined);
    return result;
  }

  async #createOrAdopt(): Promise<Live<Node>> {
    const { client, nodeName, labels, podCIDRs } = this.#options;
    const [podCIDR] = podCIDRs;
    const resource = client.for(nodes);
    try {
      return await resource.create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: nodeName,
          labels,
          annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
        },
        spec: podCIDR === undefined ? {} : { podCIDR, podCIDRs },
        status: await this.#options.status([]),
      });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
    const held = await resource.get({ name: nodeName });
    const same = Object.entries(labels).every(([key, value]) => held.metadata.labels?.[key] === value);
    if (same) return held;
    const patch = { metadata: { labels } };
    return resource.patch({ name: nodeName }, patch, { type: 'application/strategic-merge-patch+json' });
  }

  async #refresh(): Promise<void> {
    const { client, clock, nodeName } = this.#options;
    if (!this.#node) return;
    const held = await client.for(nodes).get({ name: nodeName });
    const own = await this.#options.status(held.status?.conditions ?? []);
    const { status, withdrawn } = withForeignResources(own, held.status);
    const now = clock.now();
    const recent = now - this.#writtenAt < STATUS_PERIOD_MS;
    if (recent && withdrawn.length === 0 && saysTheSame(held.status, status)) return;
    const gone = Object.fromEntries(withdrawn.map((resource) => [resource, null]));
    const patch = {
      status: {
        ...status,
        // The key by which the list is merged is the type, of which a node of two families has two.
        ...(status.addresses && { addresses: [...status.addresses, { $patch: 'replace' }] }),
        allocatable: { ...status.allocatable, ...gone },
      },
    };
    const options = { type: 'application/strategic-merge-patch+json', subresource: 'status' } as const;
    this.#node = await client.for(nodes).patch({ name: nodeName }, patch, options);
    this.#writtenAt = now;
  }
}

/**
 * The status with the resources that somebody else says the node has (`status.capacity`), all of which pods may have;
 * those of which that is no longer said are withdrawn from them (the kubelet's rule for extended resources).
 */
function withForeignResources(
  own: NodeStatus,
  held: NodeStatus | undefined,
): { readonly status: NodeStatus; readonly withdrawn: readonly string[] } {
  const capacity = { ...held?.capacity, ...own.capacity };
  const foreign = Object.entries(capacity).filter(([name]) => own.capacity?.[name] === undefined);
  const withdrawn = Object.keys(held?.allocatable ?? {}).filter((name) => capacity[name] === undefined);
  const allocatable = { ...own.allocatable, ...Object.fromEntries(foreign) };
  return { status: { ...own, capacity, allocatable }, withdrawn };
}

const STATUS_PERIOD_MS = 300_000;

/** Equal but for heartbeats. */
function saysTheSame(held: NodeStatus | undefined, next: NodeStatus): boolean {
  if (!held) return false;
  const still = (conditions: readonly NodeCondition[] = []): unknown =>
    conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message }));
  const nextTypes = new Set(next.conditions?.map(({ type }) => type));
  const mine = held.conditions?.filter(({ type }) => nextTypes.has(type));
  return (
    isDeepStrictEqual(still(mine), still(next.conditions)) &&
    isDeepStrictEqual(held.capacity, next.capacity) &&
    isDeepStrictEqual(held.allocatable, next.allocatable) &&
    isDeepStrictEqual(held.addresses, next.addresses) &&
    isDeepStrictEqual(held.images ?? [], next.images ?? []) &&
    isDeepStrictEqual(held.volumesInUse ?? [], next.volumesInUse ?? [])
  );
}
