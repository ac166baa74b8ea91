import { pods, type Pod, type PodCondition } from '../api/core/v1.gen.ts';
import { timestamp, type Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import { conditionOf } from '../reconcile/conditions.ts';

/** What the scheduler says in a pod's status. */
export interface PodStatusChange {
  readonly condition?: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;
  /** The node nominated now; empty clears it; undefined leaves it. */
  readonly nominatedNodeName?: string;
}

export interface PodStatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** The newest known form of a pod. */
  latest(pod: Live<Pod>): Live<Pod> | undefined;
  onFailure(pod: Live<Pod>, error: unknown): void;
}

/** Writes conditions and nominations of pods, one write at a time for each pod, and none that changes nothing. */
export class PodStatusWriter {
  readonly #options: PodStatusWriterOptions;
  readonly #writing = new Map<string, Promise<void>>();

  constructor(options: PodStatusWriterOptions) {
    this.#options = options;
  }

  /** Resolves when written; failures are reported, not thrown. */
  write(pod: Live<Pod>, change: PodStatusChange): Promise<void> {
    const { uid } = pod.metadata;
    const before = this.#writing.get(uid);
    const work = (before ?? Promise.resolve()).then(() => this.#write(pod, change));
    this.#writing.set(uid, work);
    return work.finally(() => {
      if (this.#writing.get(uid) === work) this.#writing.delete(uid);
    });
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing.values());
  }

  async #write(pod: Live<Pod>, change: PodStatusChange): Promise<void> {
    const { client, clock, latest, onFailure } = this.#options;
    const known = latest(pod);
    const { namespace = '', name, uid } = pod.metadata;
    if (known?.metadata.uid !== uid) return;
    const status = statusPatch(known, change, timestamp(clock.now()));
    if (!status) return;
    try {
      await client
        .for(pods)
        .patch(
          { namespace, name },
          { metadata: { uid }, status },
          { type: 'application/strategic-merge-patch+json', subresource: 'status' },
        );
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) onFailure(pod, error);
    }
  }
}

/** The part of the status to write; undefined when it is so already. */
function statusPatch(
  { metadata, status }: Live<Pod>,
  { condition, nominatedNodeName }: PodStatusChange,
  now: string,
): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  if (condition) {
    const current = conditionOf(status?.conditions, condition.type);
    const same =
      current?.status === condition.status &&
      current.reason === condition.reason &&
      current.message === condition.message;
    if (!same) {
      const { generation } = metadata;
      patch['conditions'] = [
        {
          ...condition,
          lastProbeTime: null,
          ...(current?.status !== condition.status && { lastTransitionTime: now }),
          ...(generation !== undefined && { observedGeneration: generation }),
        },
      ];
    }
  }
  if (nominatedNodeName !== undefined && nominatedNodeName !== (status?.nominatedNodeName ?? ''))
    patch['nominatedNodeName'] = nominatedNodeName === '' ? null : nominatedNodeName;
  return Object.keys(patch).length > 0 ? patch : undefined;
}
