import { microTimestamp, type Clock, type Timer } from '../../base/clock.ts';
import { leases, type Lease } from '../../api/coordination/v1.gen.ts';
import type { Node } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';

const NAMESPACE = 'kube-node-lease';
const DURATION_SECONDS = 40;
/** Below the 50 s after which a node counts as lost, and seldom enough for tens of thousands of nodes. */
const RENEW_MS = 30_000;
const TICK_MS = 200;
const SLOTS = RENEW_MS / TICK_MS;

export interface NodeLeasesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Keeps the Leases of many nodes: a wheel of slots, one of which is renewed at every tick of a single timer. */
export class NodeLeases {
  readonly #options: NodeLeasesOptions;
  readonly #slots: Map<string, Live<Node>>[] = Array.from({ length: SLOTS }, () => new Map());
  readonly #slotOf = new Map<string, number>();
  /** The version of each lease as it was last written here. */
  readonly #versions = new Map<string, string>();
  readonly #waiting = new Map<string, Live<Node>>();
  #nextSlot = 0;
  #at = 0;
  #timer: Timer | undefined;
  #stopped = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: NodeLeasesOptions) {
    this.#options = options;
  }

  /** Takes the lease of a node, soon, and renews it from then on. */
  keep(node: Live<Node>): void {
    const { name } = node.metadata;
    const held = this.#slotOf.get(name);
    const slot = held ?? this.#nextSlot++ % SLOTS;
    this.#slots[slot]?.set(name, node);
    if (held !== undefined || this.#stopped) return;
    this.#slotOf.set(name, slot);
    this.#waiting.set(name, node);
    this.#timer ??= this.#options.clock.after(TICK_MS, () => this.#tick());
  }

  /** The node is gone; its lease goes with it by its owner. */
  drop(name: string): void {
    const slot = this.#slotOf.get(name);
    if (slot !== undefined) this.#slots[slot]?.delete(name);
    this.#slotOf.delete(name);
    this.#waiting.delete(name);
    this.#versions.delete(name);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#writing;
  }

  #tick(): void {
    const batch = [...this.#waiting.values(), ...(this.#slots[this.#at]?.values() ?? [])];
    this.#waiting.clear();
    this.#at = (this.#at + 1) % SLOTS;
    const write = async (): Promise<void> => {
      for (let from = 0; from < batch.length && !this.#stopped; from += BATCH)
        await Promise.all(batch.slice(from, from + BATCH).map((node) => this.#renew(node)));
    };
    // Those that could not be written in their tick are late, not lost: the next tick comes after them.
    this.#writing = write().then(() => {
      if (this.#stopped) return;
      this.#timer = this.#options.clock.after(TICK_MS, () => this.#tick());
    });
  }

  async #renew({ metadata: { name, uid } }: Live<Node>): Promise<void> {
    const { client, clock, onError } = this.#options;
    const resource = client.for(leases);
    const version = this.#versions.get(name);
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name,
        namespace: NAMESPACE,
        ...(version !== undefined && { resourceVersion: version }),
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
      },
      spec: {
        holderIdentity: name,
        leaseDurationSeconds: DURATION_SECONDS,
        renewTime: microTimestamp(clock.now()),
      },
    };
    try {
      const written = await (version === undefined ? resource.create(lease) : resource.update(lease));
      if (this.#slotOf.has(name)) this.#versions.set(name, written.metadata.resourceVersion);
    } catch (error) {
      // Somebody else made, wrote or deleted it: the lease as it is now is renewed at the next turn.
      if (isStatus(error, 'NotFound')) this.#versions.delete(name);
      else if (isStatus(error, 'AlreadyExists') || isStatus(error, 'Conflict')) await this.#adopt(name);
      else onError(error);
    }
  }

  async #adopt(name: string): Promise<void> {
    try {
      const { metadata } = await this.#options.client.for(leases).get({ namespace: NAMESPACE, name });
      this.#versions.set(name, metadata.resourceVersion);
    } catch (error) {
      this.#versions.delete(name);
      if (!isStatus(error, 'NotFound')) this.#options.onError(error);
    }
  }
}

const BATCH = 128;
