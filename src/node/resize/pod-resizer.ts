import { join } from 'node:path';
import { timestamp } from '../../base/clock.ts';
import type { Container, Pod, PodCondition, ResourceRequirements } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { NodeRoom } from '../admission/insufficient-resource.ts';
import { containerResources, largerLimits, podResources } from '../container-resources.ts';
import { RuntimeError, type ContainerStatus } from '../container-runtime.ts';
import type { NodeContext } from '../node-context.ts';
import { allContainersOf } from '../pod-containers.ts';
import { allocationOf, sameResources, withAllocation, type Allocation } from './allocation.ts';
import { readAllocation, writeAllocation } from './allocation-file.ts';
import { memoryTooLow } from './memory-too-low.ts';
import { planActuation, planAllocation, type PendingResize, type WaitingResize } from './plan-resize.ts';
import { resizeMessage } from './resize-message.ts';

/** One pod's way from the resources that its spec asks for to those that its processes have. */
export class PodResizer {
  readonly #node: NodeContext;
  readonly #path: string;
  readonly #actual = new Map<string, ResourceRequirements>();
  /** Of the pod as a whole, as its processes have it. */
  #actualPod: ResourceRequirements | undefined;
  #wanted: Live<Pod>;
  #granted: Allocation;
  #pod: Live<Pod>;
  #pending: (PendingResize & { readonly since: number; readonly generation: number }) | undefined;
  /** A grant that is not with the processes yet. */
  #progress: { readonly since: number; readonly generation: number; readonly error?: string } | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** `directory` is the pod's; what an earlier agent granted counts only when the pod has begun to run. */
  constructor(
    node: NodeContext,
    pod: Live<Pod>,
    options: { readonly directory: string; readonly begun: boolean },
  ) {
    this.#node = node;
    this.#path = join(options.directory, 'allocation.json');
    this.#wanted = pod;
    const record = options.begun ? readAllocation(this.#path) : undefined;
    this.#granted = record?.granted ?? allocationOf(pod);
    for (const [name, resources] of Object.entries(record?.actual ?? {})) this.#actual.set(name, resources);
    this.#actualPod = record?.actualPod ?? this.#granted.pod;
    this.#pod = withAllocation(pod, this.#granted);
  }

  /** The newest version of the pod, with the resources that it was granted. */
  get pod(): Live<Pod> {
    return this.#pod;
  }

  /** As the API has it. */
  get wanted(): Live<Pod> {
    return this.#wanted;
  }

  /** A resize that waits for room. */
  get waiting(): WaitingResize | undefined {
    if (this.#pending?.reason !== 'Deferred') return undefined;
    return { pod: this.#wanted, granted: this.#pod, since: this.#pending.since };
  }

  take(pod: Live<Pod>): void {
    this.#wanted = pod;
    this.#pod = withAllocation(pod, this.#granted);
  }

  /** Grants what the spec asks for if there is room, else says why not; true when something was granted. */
  decide(room: () => NodeRoom): boolean {
    if (this.#pod === this.#wanted) {
      this.#pending = undefined;
      return false;
    }
    const decision = planAllocation(this.#wanted, this.#granted, room());
    if (decision === 'none') return false;
    if (decision !== 'grant') {
      this.#wait(decision);
      return false;
    }
    this.#pending = undefined;
    this.#granted = allocationOf(this.#wanted);
    this.#pod = this.#wanted;
    this.#progress = { since: this.#node.clock.now(), generation: this.#generation() };
    this.#event('Normal', 'ResizeStarted', resizeMessage('Pod resize started', this.#pod));
    this.#save();
    return true;
  }

  /** What a running container needs now. */
  actuation(container: Container): 'none' | 'update' | 'restart' {
    const own = planActuation(container, this.#actual.get(container.name));
    if (own !== 'none' || !this.#actual.has(container.name)) return own;
    return sameResources(this.#granted.pod, this.#actualPod) ? 'none' : 'update';
  }

  /** What a container was given; undefined before it has run. */
  actualOf(name: string): ResourceRequirements | undefined {
    return this.#actual.get(name);
  }

  /** A container has been started with what was granted. */
  started({ name }: Container): void {
    const resources = this.#granted.containers[name];
    if (!resources) return;
    this.#actual.set(name, resources);
    this.#save();
  }

  /** Takes a container that already ran when the agent came, and of which nothing is recorded, as having what was granted. */
  adopted(name: string): void {
    const resources = this.#granted.containers[name];
    if (resources && !this.#actual.has(name)) this.#actual.set(name, resources);
  }

  /**
   * Gives the running containers what was granted, the pod's own limits first where they grow and last where they
   * shrink; containers that must restart for it are left to the caller. Resolves to false when it did not work (yet).
   */
  async apply(running: readonly ContainerStatus[], sandboxId: string): Promise<boolean> {
    const { runtime, memoryBytes } = this.#node;
    const pod = this.#pod;
    const error = await memoryTooLow({ pod, before: this.#before(), running, runtime });
    if (error !== undefined) return this.#fail(error);
    try {
      await runtime.updateSandboxResources?.(
        sandboxId,
        largerLimits(podResources(pod), podResources(this.#before())),
      );
      for (const container of allContainersOf(pod)) {
        const status = running.find(({ name }) => name === container.name);
        if (!status || this.actuation(container) !== 'update') continue;
        await runtime.updateResources(status.id, containerResources(pod, container, memoryBytes));
        this.#actual.set(container.name, container.resources ?? {});
      }
    } catch (caught) {
      if (!(caught instanceof RuntimeError)) throw caught;
      return this.#fail(caught.message);
    }
    this.#actualPod = this.#granted.pod;
    this.#save();
    return true;
  }

  /** Says that the resize is complete once every running container has what was granted. */
  async complete(running: readonly ContainerStatus[], sandboxId: string): Promise<void> {
    if (!this.#progress) return;
    const behind = allContainersOf(this.#pod).some(
      (container) =>
        running.some(({ name }) => name === container.name) && this.actuation(container) !== 'none',
    );
    if (behind) return;
    await this.#node.runtime.updateSandboxResources?.(sandboxId, podResources(this.#pod));
    this.#progress = undefined;
    this.#event('Normal', 'ResizeCompleted', resizeMessage('Pod resize completed', this.#pod));
  }

  get isInProgress(): boolean {
    return this.#progress !== undefined;
  }

  /** The conditions about a resize that hold now. */
  conditions(): readonly PodCondition[] {
    const pending = this.#pending;
    const progress = this.#progress;
    return [
      ...(pending
        ? [
            {
              type: 'PodResizePending',
              status: 'True' as const,
              reason: pending.reason,
              message: pending.message,
              observedGeneration: pending.generation,
              lastTransitionTime: timestamp(pending.since),
            },
          ]
        : []),
      ...(progress
        ? [
            {
              type: 'PodResizeInProgress',
              status: 'True' as const,
              ...(progress.error !== undefined && { reason: 'Error', message: progress.error }),
              observedGeneration: progress.generation,
              lastTransitionTime: timestamp(progress.since),
            },
          ]
        : []),
    ];
  }

  /** What the pod's processes have, by container and as a whole. */
  #before(): Live<Pod> {
    const containers = { ...this.#granted.containers, ...Object.fromEntries(this.#actual) };
    return withAllocation(this.#pod, { containers, ...(this.#actualPod && { pod: this.#actualPod }) });
  }

  #wait(decision: PendingResize): void {
    const generation = this.#generation();
    const before = this.#pending;
    const same = before?.reason === decision.reason && before.generation === generation;
    const since = before?.reason === decision.reason ? before.since : this.#node.clock.now();
    this.#pending = { ...decision, since, generation };
    if (same && before.message === decision.message) return;
    const text = resizeMessage(`Pod resize ${decision.reason}`, this.#wanted, decision.message);
    this.#event('Warning', `Resize${decision.reason}`, text);
  }

  #fail(error: string): false {
    const { since, generation } = this.#progress ?? {
      since: this.#node.clock.now(),
      generation: this.#generation(),
    };
    const said = this.#progress?.error === error;
    this.#progress = { since, generation, error };
    if (!said) this.#event('Warning', 'ResizeError', resizeMessage('Pod resize error', this.#pod, error));
    return false;
  }

  #generation(): number {
    return this.#wanted.metadata.generation ?? 0;
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#node.events.record(this.#wanted, type, reason, message);
  }

  #save(): void {
    const record = {
      granted: this.#granted,
      actual: Object.fromEntries(this.#actual),
      ...(this.#actualPod && { actualPod: this.#actualPod }),
    };
    const write = (): Promise<void> => writeAllocation(this.#path, record);
    this.#saving = this.#saving.then(write).catch((error: unknown) => this.#node.onError(error));
  }

  /** Resolves when all is on disk. */
  async flushed(): Promise<void> {
    await this.#saving;
  }
}
