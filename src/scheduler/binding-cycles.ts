import type { EventRecorder } from '../reconcile/event-recorder.ts';
import type { CycleState } from './cycle-state.ts';
import type { Clock } from '../base/clock.ts';
import type { Extender } from './extenders/extender.ts';
import type { FailureHandler } from './failure-handler.ts';
import type { QueuedPod } from './framework.ts';
import type { SchedulerMetrics } from './metrics/scheduler-metrics.ts';
import type { PodInfo } from './pod-info.ts';
import type { PluginStatus, Profile } from './profile.ts';
import type { SchedulerCache } from './scheduler-cache.ts';
import type { SchedulingQueue } from './scheduling-queue.ts';
import { errorStatus, isRejection } from './status.ts';
import type { WaitingPods } from './waiting-pods.ts';

export interface BindingCyclesOptions {
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly waiting: WaitingPods;
  readonly failures: FailureHandler;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly metrics: SchedulerMetrics;
  /** Extenders that bind the pods that are their business. */
  readonly binders: readonly Extender[];
  /** Called when there is room again for bindings. */
  resume(): void;
}

/** A pod that was given a node. */
export interface Assumed {
  readonly pod: PodInfo;
  readonly queued: QueuedPod;
  /** When the attempt began, on the monotonic clock. */
  readonly startedAt: number;
  readonly profile: Profile;
  readonly state: CycleState;
  readonly nodeName: string;
  /** Permit plug-ins to wait for, with their limits in milliseconds. */
  readonly waiting: ReadonlyMap<string, number>;
}

const mostAtOnce = 256;

/** Binds assumed pods in the background, a bounded number at once; pods that wait for Permit do not count. */
export class BindingCycles {
  readonly #options: BindingCyclesOptions;
  readonly #running = new Set<Promise<void>>();
  #binding = 0;

  constructor(options: BindingCyclesOptions) {
    this.#options = options;
  }

  /** Whether no more pods should be decided until some are bound. */
  get full(): boolean {
    return this.#binding >= mostAtOnce;
  }

  start(assumed: Assumed): void {
    const work = this.#cycle(assumed);
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  /** How many are being bound. */
  get running(): number {
    return this.#binding;
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #cycle(assumed: Assumed): Promise<void> {
    const { pod, waiting } = assumed;
    const refused = waiting.size > 0 ? await this.#permission(assumed) : undefined;
    if (refused) {
      this.#undo(assumed, refused);
      return;
    }
    this.#options.queue.done(pod.uid);
    this.#binding++;
    try {
      const failed = await this.#bind(assumed);
      if (failed) this.#undo(assumed, failed);
      else this.#finish(assumed);
    } finally {
      if (this.#binding-- === mostAtOnce) this.#options.resume();
    }
  }

  async #permission({ pod, nodeName, waiting }: Assumed): Promise<PluginStatus | undefined> {
    const { clock, metrics } = this.#options;
    const start = clock.monotonic();
    const refused = await this.#options.waiting.wait(pod, nodeName, waiting);
    metrics.permitted(refused?.status.code ?? 'Success', clock.monotonic() - start);
    return refused;
  }

  #finish({ profile, state, pod, nodeName, queued, startedAt }: Assumed): void {
    const { namespace, name } = pod;
    const { clock, metrics } = this.#options;
    metrics.attempted('scheduled', profile.schedulerName, clock.monotonic() - startedAt);
    metrics.bound(queued.attempts, clock.now() - queued.addedAt);
    this.#options.events
      .as(profile.schedulerName)
      .record(pod.pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`);
    profile.postBind(state, pod, nodeName);
  }

  /** The room that the pod had taken is free again, which may help others; unless it turned out to be bound after all. */
  #undo({ profile, state, pod, nodeName, startedAt }: Assumed, failed: PluginStatus): void {
    const { cache, queue, failures, metrics, clock } = this.#options;
    profile.unreserve(state, pod, nodeName);
    if (!cache.isAssumed(pod.uid)) return;
    cache.remove(pod.uid);
    const rejected = isRejection(failed.status);
    const result = rejected ? 'unschedulable' : 'error';
    metrics.attempted(result, profile.schedulerName, clock.monotonic() - startedAt);
    if (rejected) failures.rejected(pod, profile, failed);
    else failures.error(pod, profile, failed);
    queue.notify(
      { resource: 'AssignedPod', action: 'Delete', previous: pod.pod },
      (other) => !rejected || other.uid !== pod.uid,
    );
  }

  async #bind({ profile, state, pod, nodeName }: Assumed): Promise<PluginStatus | undefined> {
    const prepared = await profile.preBind(state, pod, nodeName);
    if (prepared) return prepared;
    for (const extender of this.#options.binders) {
      if (!extender.isInterested(pod)) continue;
      try {
        await extender.bind(pod, nodeName);
        return undefined;
      } catch (error) {
        if (!extender.ignorable) return { plugin: '', status: errorStatus(error) };
      }
    }
    return profile.bind(state, pod, nodeName);
  }
}
