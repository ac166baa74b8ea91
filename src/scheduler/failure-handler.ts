import type { Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import type { ControllerContext } from '../reconcile/controller.ts';
import type { Informer } from '../reconcile/informer.ts';
import { fitErrorMessage } from './fit-message.ts';
import type { Diagnosis, PostFilterResult } from './framework.ts';
import type { Nominator } from './nominator.ts';
import type { PodInfo } from './pod-info.ts';
import { PodStatusWriter, type PodStatusChange } from './pod-status-writer.ts';
import type { PluginStatus, Profile } from './profile.ts';
import type { Rejection, SchedulingQueue } from './scheduling-queue.ts';

export interface FailureHandlerOptions {
  readonly context: ControllerContext;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  readonly podCache: Informer<Pod>;
}

interface Failure {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** Empty clears the nomination; undefined leaves it. */
  readonly nominatedNode: string | undefined;
}

const nobody: ReadonlySet<string> = new Set();

/** Longest note of an event. */
const noteLimit = 1024;

/** What happens after a failed attempt: back into the queue, an event, the PodScheduled condition and the nomination. */
export class FailureHandler {
  readonly #options: FailureHandlerOptions;
  readonly #writer: PodStatusWriter;

  constructor(options: FailureHandlerOptions) {
    this.#options = options;
    const { client, clock } = options.context;
    this.#writer = new PodStatusWriter({
      client,
      clock,
      latest: ({ metadata }) => options.podCache.get(metadata.namespace, metadata.name),
      onFailure: (pod, error) => this.#report(pod, error),
    });
  }

  noNodes(pod: PodInfo, profile: Profile): void {
    this.#reject(pod, { unschedulablePlugins: profile.filterNames, pendingPlugins: nobody });
    this.#tell(pod, profile, {
      reason: 'Unschedulable',
      message: 'no nodes available to schedule pods',
      nominatedNode: '',
    });
  }

  unfit(
    pod: PodInfo,
    profile: Profile,
    { diagnosis, result }: { readonly diagnosis: Diagnosis; readonly result: PostFilterResult | undefined },
  ): void {
    this.#reject(pod, diagnosis);
    this.#tell(pod, profile, {
      reason: 'Unschedulable',
      message: fitErrorMessage(diagnosis, result?.status?.reasons.join(', ') ?? ''),
      nominatedNode: result ? result.nominatedNode : '',
    });
  }

  /** Reserve or Permit said no about the one node that was chosen. */
  rejected(pod: PodInfo, profile: Profile, { plugin, status }: PluginStatus): void {
    const plugins = new Set([plugin]);
    const pending = status.code === 'Pending';
    this.#reject(pod, {
      unschedulablePlugins: pending ? nobody : plugins,
      pendingPlugins: pending ? plugins : nobody,
    });
    const reasons = status.reasons.map((reason) => `1 ${reason}`).toSorted();
    this.#tell(pod, profile, {
      reason: 'Unschedulable',
      message: `0/1 nodes are available: ${reasons.join(', ')}.`,
      nominatedNode: '',
    });
  }

  /** Something went wrong that is not the pod's fault. */
  error(pod: PodInfo, profile: Profile, { plugin, status }: PluginStatus): void {
    const { error } = status;
    if (isStatus(error, 'NotFound') && !this.#current(pod.pod)) {
      this.#options.queue.done(pod.uid);
      return;
    }
    this.#options.queue.fail(pod.uid);
    this.report(pod, error ?? status.reasons.join(', '));
    const what = status.reasons.join(', ');
    this.#tell(pod, profile, {
      reason: 'SchedulerError',
      message: plugin === '' ? what : `running plugin "${plugin}": ${what}`,
      nominatedNode: '',
    });
  }

  /** Tells whoever runs the scheduler. */
  report(pod: PodInfo, error: unknown): void {
    this.#report(pod.pod, error);
  }

  /** Writes a pod's status in the order of calls. */
  writeStatus(pod: Live<Pod>, change: PodStatusChange): Promise<void> {
    return this.#writer.write(pod, change);
  }

  settled(): Promise<void> {
    return this.#writer.settled();
  }

  #reject(pod: PodInfo, rejection: Rejection): void {
    this.#options.queue.reject(pod.uid, rejection);
  }

  #tell(pod: PodInfo, profile: Profile, { reason, message, nominatedNode }: Failure): void {
    const { context, nominator } = this.#options;
    if (nominatedNode !== undefined && this.#current(pod.pod)) nominator.set(pod, nominatedNode);
    const note = message.length > noteLimit ? `${message.slice(0, noteLimit - 4)} ...` : message;
    context.events.as(profile.schedulerName).record(pod.pod, 'Warning', 'FailedScheduling', note);
    void this.#writer.write(pod.pod, {
      condition: { type: 'PodScheduled', status: 'False', reason, message },
      ...(nominatedNode !== undefined && { nominatedNodeName: nominatedNode }),
    });
  }

  /** The watched form of a pod, unless it is gone. */
  #current({ metadata }: Live<Pod>): Live<Pod> | undefined {
    const found = this.#options.podCache.get(metadata.namespace, metadata.name);
    return found?.metadata.uid === metadata.uid ? found : undefined;
  }

  #report({ metadata }: Live<Pod>, error: unknown): void {
    const key = `${metadata.namespace ?? ''}/${metadata.name}`;
    this.#options.context.onFailure?.({ controller: 'scheduler', key, error, failures: 1, retryMs: 1000 });
  }
}
