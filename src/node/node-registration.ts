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
  readonly podCIDR: string | undefined;
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
    const { client, nodeName, labels, podCIDR } = this.#options;
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
        spec: podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] },
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
    const held = this.#node;
    if (!held) return;
    const status = await this.#options.status(held.status?.conditions ?? []);
    const now = clock.now();
    if (now - this.#writtenAt < STATUS_PERIOD_MS && saysTheSame(held.status, status)) return;
    const options = { type: 'application/strategic-merge-patch+json', subresource: 'status' } as const;
    this.#node = await client.for(nodes).patch({ name: nodeName }, { status }, options);
    this.#writtenAt = now;
  }
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
    isDeepStrictEqual(held.addresses, next.addresses) &&
    isDeepStrictEqual(held.images ?? [], next.images ?? [])
  );
}
