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
const MOST_AT_ONCE = 128;

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
  /** Nodes whose lease is to be written, those that wait longest first. */
  readonly #due = new Map<string, Live<Node>>();
  readonly #writing = new Set<Promise<void>>();
  #nextSlot = 0;
  #startedAt: number | undefined;
  /** How many slots had their turn. */
  #ticks = 0;
  #timer: Timer | undefined;
  #stopped = false;

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
    this.#due.set(name, node);
    this.#timer ??= this.#options.clock.after(TICK_MS, () => this.#tick());
  }

  /** The node is gone; its lease goes with it by its owner. */
  drop(name: string): void {
    const slot = this.#slotOf.get(name);
    if (slot !== undefined) this.#slots[slot]?.delete(name);
    this.#slotOf.delete(name);
    this.#due.delete(name);
    this.#versions.delete(name);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#due.clear();
    await Promise.all(this.#writing);
  }

  /** A slot's time comes when it comes, however long writing takes: of those that fall behind the oldest are written first. */
  #tick(): void {
    const { clock } = this.#options;
    this.#startedAt ??= clock.monotonic();
    const reached = Math.floor((clock.monotonic() - this.#startedAt) / TICK_MS);
    for (; this.#ticks <= reached; this.#ticks++) {
      for (const node of this.#slots[this.#ticks % SLOTS]?.values() ?? [])
        this.#due.set(node.metadata.name, node);
    }
    this.#pump();
    this.#timer = clock.after(TICK_MS, () => this.#tick());
  }

  #pump(): void {
    for (const [name, node] of this.#due) {
      if (this.#writing.size >= MOST_AT_ONCE || this.#stopped) return;
      this.#due.delete(name);
      const write = this.#renew(node).then(() => {
        this.#writing.delete(write);
        this.#pump();
      });
      this.#writing.add(write);
    }
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
