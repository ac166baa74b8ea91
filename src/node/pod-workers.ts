import type { Pod } from '../api/core/v1.gen.ts';
import type { ObjectEvent } from '../reconcile/reflector.ts';
import type { Live } from '../machinery/object.ts';
import { planPreemption } from './admission/plan-preemption.ts';
import type { Refusal } from './admission/refusal-of.ts';
import type { ContainerStatus, SandboxStatus } from './container-runtime.ts';
import type { NodeContext } from './node-context.ts';
import { removeStaleFiles } from './node-files.ts';
import { PodWorker } from './pod-worker.ts';
import { compareWaitingResizes } from './resize/plan-resize.ts';
import { stopOrphan } from './stop-orphan.ts';

const PREEMPTION_GRACE_MS = 1000;

/** One worker per pod of the node, by uid; what the runtime runs of pods that are no more is stopped. */
export class PodWorkers {
  readonly #node: NodeContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #events: { close(): void };
  #found: { readonly sandboxes: readonly SandboxStatus[]; readonly containers: readonly ContainerStatus[] };
  readonly #static = new Map<string, Live<Pod>>();
  #listed = false;
  #admitting: Promise<void> = Promise.resolve();

  /** `found` is what the runtime had when the agent started. */
  constructor(
    node: NodeContext,
    found: { readonly sandboxes: readonly SandboxStatus[]; readonly containers: readonly ContainerStatus[] },
  ) {
    this.#node = node;
    this.#found = found;
    this.#events = node.runtime.onContainerEvent((status) =>
      this.#workers.get(status.podUid)?.onContainer(status),
    );
  }

  pods(): readonly Live<Pod>[] {
    return [...this.#workers.values()].map((worker) => worker.pod);
  }

  /** Those of which something runs or may run. */
  taken(): readonly PodWorker[] {
    return [...this.#workers.values()].filter(({ isTaken }) => isTaken);
  }

  /** The newest pod of this name: an older one may still be ending. */
  byName(namespace: string, name: string): PodWorker | undefined {
    return [...this.#workers.values()].findLast(
      ({ pod }) => pod.metadata.name === name && pod.metadata.namespace === namespace,
    );
  }

  /** Takes the complete list of the pods that come from manifests on the node. */
  setStatic(list: readonly Live<Pod>[]): void {
    const uids = new Set(list.map((pod) => pod.metadata.uid));
    for (const uid of this.#static.keys()) {
      if (uids.has(uid)) continue;
      this.#static.delete(uid);
      const worker = this.#workers.get(uid);
      if (worker) worker.remove(worker.pod);
    }
    for (const pod of list) this.#static.set(pod.metadata.uid, pod);
    if (this.#listed) this.#startStatic();
  }

  /** Tells a static pod's worker what the API knows of the pod. */
  setMirror(pod: Live<Pod>, mirror: Live<Pod>): void {
    const { status } = mirror;
    this.#workers.get(pod.metadata.uid)?.showAs(mirror.metadata.uid, status ? { ...pod, status } : pod);
  }

  /** Takes the complete list of the node's pods, static ones left out. */
  replace(fromApi: readonly Live<Pod>[]): void {
    const list = [...fromApi, ...this.#static.values()];
    const uids = new Set(list.map((pod) => pod.metadata.uid));
    for (const [uid, worker] of this.#workers) if (!uids.has(uid)) worker.remove(worker.pod);
    for (const pod of fromApi) this.#set(pod);
    this.#startStatic();
    if (!this.#listed) this.#stopOrphans(uids);
    this.#listed = true;
    this.#found = { sandboxes: [], containers: [] };
  }

  apply({ type, object }: ObjectEvent<Pod>): void {
    if (type === 'DELETED') this.#workers.get(object.metadata.uid)?.remove(object);
    else this.#set(object);
  }

  /** Tells every worker which sandboxes the runtime has, and looks at the disk space they use. */
  async resync(): Promise<void> {
    const sandboxes = await this.#node.runtime.listSandboxes();
    for (const [uid, worker] of this.#workers) {
      worker.onSandboxes(sandboxes.filter((sandbox) => sandbox.podUid === uid));
      await worker.checkStorage();
    }
    this.#retryResizes();
    this.#reconcileClaims();
  }

  /** Has every pod looked at again. */
  retry(): void {
    for (const worker of this.#workers.values()) worker.retry();
  }

  /** Pods may have waited for the driver of their claims, at their beginning or at their end. */
  onClaimDriver(): void {
    this.retry();
    if (this.#listed) this.#reconcileClaims();
  }

  /** Has the claims taken back of pods that are no longer here. */
  #reconcileClaims(): void {
    this.#node.claims
      .reconcile(new Set(this.#workers.keys()))
      .catch((error: unknown) => this.#node.onError(error));
  }

  async close(): Promise<void> {
    this.#events.close();
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
  }

  #set(pod: Live<Pod>): void {
    const { uid } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (worker) {
      worker.update(pod);
      return;
    }
    const { sandboxes, containers } = this.#found;
    this.#workers.set(
      uid,
      new PodWorker({
        node: this.#node,
        pod,
        admit: (asking) => this.#admit(asking),
        room: () => ({ allocatable: this.#node.allocatable, others: this.#taken(uid) }),
        onResized: () => this.#retryResizes(),
        sandboxes: sandboxes.filter((sandbox) => sandbox.podUid === uid),
        containers: containers.filter((container) => container.podUid === uid),
        onGone: () => {
          this.#workers.delete(uid);
          this.#startStatic();
          this.#retryResizes();
        },
      }),
    );
  }

  /** Starts the static pods that do not run, but for those whose predecessor is still ending. */
  #startStatic(): void {
    for (const [uid, pod] of this.#static) {
      const { name, namespace = '' } = pod.metadata;
      if (!this.#workers.has(uid) && !this.byName(namespace, name)) this.#set(pod);
    }
  }

  /** Pods that the node has taken but for one. */
  #taken(but: string): readonly Live<Pod>[] {
    return [...this.#workers]
      .filter(([uid, { isTaken }]) => isTaken && uid !== but)
      .map(([, worker]) => worker.pod);
  }

  /** Uids of the pods of which something may run. */
  #mayRun(): ReadonlySet<string> {
    return new Set([...this.#workers].flatMap(([uid, { mayRun }]) => (mayRun ? [uid] : [])));
  }

  /** One at a time, so that two pods are not both given what is left. */
  #admit(asking: PodWorker): Promise<Refusal | undefined> {
    const { pod } = asking;
    const refusal = (): Promise<Refusal | undefined> =>
      this.#node.admission.refusalOf(pod, () => this.#taken(pod.metadata.uid));
    const decide = async (): Promise<Refusal | undefined> => {
      const first = await refusal();
      const makesRoom = first?.reason.startsWith('OutOf') === true && (await this.#makeRoom(pod));
      const last = makesRoom ? await refusal() : first;
      return last ?? this.#node.devices.allocate(pod, this.#mayRun());
    };
    const decision = this.#admitting.then(decide, decide);
    // Whoever is next is to see this one as taken.
    this.#admitting = decision.then(
      () => new Promise<void>((resolve) => void setImmediate(resolve)),
      () => undefined,
    );
    return decision;
  }

  /** Ends pods that must make room for a critical one; resolves to whether there were such. */
  async #makeRoom(pod: Live<Pod>): Promise<boolean> {
    const { allocatable, events } = this.#node;
    const victims = planPreemption(pod, { allocatable, others: this.#taken(pod.metadata.uid) }) ?? [];
    const message = 'Preempted in order to admit critical pod';
    await Promise.all(
      this.taken()
        .filter((worker) => victims.includes(worker.pod))
        .map(async (worker) => {
          events.record(worker.pod, 'Warning', 'Preempting', message);
          worker.evict({ reason: 'Preempting', message, disrupted: true }, PREEMPTION_GRACE_MS);
          await worker.ended();
        }),
    );
    return victims.length > 0;
  }

  #retryResizes(): void {
    [...this.#workers.values()]
      .flatMap((worker) => (worker.waitingResize ? [{ worker, resize: worker.waitingResize }] : []))
      .sort((a, b) => compareWaitingResizes(a.resize, b.resize))
      .forEach(({ worker }) => worker.retry());
  }

  #stopOrphans(uids: ReadonlySet<string>): void {
    const { sandboxes, containers } = this.#found;
    for (const sandbox of sandboxes) {
      if (uids.has(sandbox.podUid)) continue;
      const mine = containers.filter((container) => container.sandboxId === sandbox.id);
      stopOrphan(this.#node, sandbox, mine).catch((error: unknown) => this.#node.onError(error));
    }
    const known = new Set([...uids, ...sandboxes.map((sandbox) => sandbox.podUid)]);
    removeStaleFiles(this.#node.directory, known).catch((error: unknown) => this.#node.onError(error));
  }
}
