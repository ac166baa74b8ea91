import { watch, type FSWatcher } from 'node:fs';
import { pods, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { readManifests } from './read-manifests.ts';
import { isMirrorOf, mirrorOf, planMirror, staticPod } from './static-pod.ts';

export interface StaticPodsOptions {
  readonly clock: Clock;
  readonly client: Client;
  readonly nodeName: string;
  /** A folder of manifests, or one of them. */
  readonly path: string;
  /** Undefined until the node is registered: nothing can be shown before. */
  node(): Live<Node> | undefined;
  /** The static pods are now these. */
  onPods(pods: readonly Live<Pod>[]): void;
  /** The API shows a static pod; the mirror has what is known of its status. */
  onMirror(pod: Live<Pod>, mirror: Live<Pod>): void;
  onError(error: unknown): void;
}

const POLL_MS = 20_000;
const SETTLE_MS = 50;
const RETRY_MS = 2000;
/** How long a mirror that somebody deleted stays away: `kubectl delete` looks a few times, and waits for ever for one that is back already. */
const REST_MS = 1000;

/** Keeps a node's static pods the same as its manifests, and what the API shows of them the same as the pods. */
export class StaticPods {
  readonly #options: StaticPodsOptions;
  readonly #pods = new Map<string, Live<Pod>>();
  readonly #mirrors = new Map<string, Live<Pod>>();
  readonly #resting = new Map<string, Timer>();
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #retry: Timer | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: StaticPodsOptions) {
    this.#options = options;
  }

  /** Reads the manifests once and watches them from then on. */
  async start(): Promise<void> {
    await this.#read();
    this.#watch();
    this.#schedule(POLL_MS);
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#timer?.cancel();
    this.#retry?.cancel();
    for (const rest of this.#resting.values()) rest.cancel();
  }

  /** The complete list of what the API shows of this node's static pods. */
  replaceMirrors(mirrors: readonly Live<Pod>[]): void {
    this.#mirrors.clear();
    for (const mirror of mirrors) this.#take(mirror);
    this.reconcile();
  }

  applyMirror(type: string, mirror: Live<Pod>): void {
    if (type === 'DELETED') this.#drop(mirror);
    else this.#take(mirror);
    this.reconcile();
  }

  /** Brings the API up to date, in the background. */
  reconcile(): void {
    this.#working = this.#working.then(() => this.#reconcile()).catch((error: unknown) => this.#fail(error));
  }

  #take(mirror: Live<Pod>): void {
    const key = keyOf(mirror);
    this.#mirrors.set(key, mirror);
    const pod = this.#pods.get(key);
    if (pod && planMirror(pod, mirror) === 'none') this.#options.onMirror(pod, mirror);
  }

  #drop(mirror: Live<Pod>): void {
    const key = keyOf(mirror);
    if (this.#mirrors.get(key)?.metadata.uid === mirror.metadata.uid) this.#mirrors.delete(key);
    const pod = this.#pods.get(key);
    if (!pod || !isMirrorOf(mirror, pod) || this.#resting.has(key)) return;
    const rest = this.#options.clock.after(REST_MS, () => {
      this.#resting.delete(key);
      this.reconcile();
    });
    this.#resting.set(key, rest);
  }

  async #reconcile(): Promise<void> {
    const node = this.#options.node();
    if (!node || this.#closed) return;
    const resource = this.#options.client.for(pods);
    for (const key of new Set([...this.#pods.keys(), ...this.#mirrors.keys()])) {
      const [pod, mirror] = [this.#pods.get(key), this.#mirrors.get(key)];
      const plan = planMirror(pod, mirror);
      if (plan === 'delete' && mirror) {
        const { namespace = '', name, uid } = mirror.metadata;
        await resource
          .delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } })
          .catch(unless('NotFound', 'Conflict'));
        this.#drop(mirror);
      }
      const shown = this.#mirrors.get(key);
      if (pod && !this.#resting.has(key) && planMirror(pod, shown) === 'create')
        await resource.create(mirrorOf(pod, node)).catch(unless('AlreadyExists'));
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#options.onError(error);
    this.#retry?.cancel();
    this.#retry = this.#options.clock.after(RETRY_MS, () => this.reconcile());
  }

  async #read(): Promise<void> {
    const { path, clock, nodeName, onError } = this.#options;
    const manifests = await readManifests(path, onError);
    const now = clock.now();
    const next = new Map<string, Live<Pod>>();
    for (const { file, pod } of manifests) {
      const made = staticPod(pod, { nodeName, file, now });
      const known = this.#pods.get(keyOf(made));
      next.set(keyOf(made), known?.metadata.uid === made.metadata.uid ? known : made);
    }
    const same =
      next.size === this.#pods.size && [...next].every(([key, pod]) => this.#pods.get(key) === pod);
    if (same) return;
    this.#pods.clear();
    for (const [key, pod] of next) this.#pods.set(key, pod);
    this.#options.onPods([...next.values()]);
    this.reconcile();
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#options.path, { persistent: false }, () => this.#schedule(SETTLE_MS));
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // A folder that is not there yet is found by looking now and then.
      this.#watcher = undefined;
    }
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(ms, () => {
      this.#schedule(POLL_MS);
      if (!this.#watcher) this.#watch();
      this.#read().catch((error: unknown) => this.#options.onError(error));
    });
  }
}

function keyOf({ metadata }: Live<Pod>): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Passes on all errors but those of these reasons. */
function unless(
  ...reasons: readonly ('NotFound' | 'Conflict' | 'AlreadyExists')[]
): (error: unknown) => void {
  return (error) => {
    if (!reasons.some((reason) => isStatus(error, reason))) throw error;
  };
}
