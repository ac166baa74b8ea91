import { isDeepStrictEqual } from 'node:util';
import { createBackoff } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import { pods, type Pod, type PodCondition, type PodStatus } from '../api/core/v1.gen.ts';
import { isStatus } from '../machinery/status-error.ts';
import { isStaticPod } from './admission/static-pod.ts';
import type { NodeContext } from './node-context.ts';

/** Writes the status of one pod: the newest one only, one write at a time, nothing when nothing changed. */
export class StatusWriter {
  readonly #node: NodeContext;
  readonly #pod: Pod;
  readonly #signal: AbortSignal;
  #wanted: PodStatus | undefined;
  #written: PodStatus | undefined;
  #working: Promise<void> | undefined;

  /** `known` is what the API holds. */
  constructor(node: NodeContext, pod: Pod, signal: AbortSignal) {
    this.#node = node;
    this.#pod = pod;
    this.#signal = signal;
    this.#written = pod.status;
  }

  /** Takes a new status; writing happens in the background. */
  write(status: PodStatus): void {
    this.#wanted = status;
    this.#working ??= this.#work();
  }

  /** The object that shows the pod is another one now, which says this. */
  startOver(known: PodStatus | undefined): void {
    this.#written = known;
    if (this.#wanted) this.#working ??= this.#work();
  }

  /** Resolves when the API has the last status taken, or no longer the pod. */
  async flushed(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    const backoff = createBackoff({ baseMs: 100, maxMs: 30_000 });
    await Promise.resolve();
    while (this.#wanted && !this.#signal.aborted && !says(this.#written, this.#wanted)) {
      const status = this.#wanted;
      try {
        await this.#patch(status);
        this.#written = status;
        backoff.reset();
      } catch (error) {
        if (this.#signal.aborted) break;
        if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) {
          this.#written = status;
          continue;
        }
        this.#node.onError(error);
        await sleep(this.#node.clock, backoff.next(), this.#signal).catch(() => undefined);
      }
    }
    this.#working = undefined;
  }

  /** Conditions merge by type, so those of others stay; lists keyed otherwise are replaced. */
  async #patch(status: PodStatus): Promise<void> {
    const { name = '', namespace = '', uid } = this.#pod.metadata;
    const patch = {
      ...(!isStaticPod(this.#pod) && { metadata: { uid } }),
      status: {
        ...status,
        conditions: [
          ...(status.conditions ?? []).map((condition) => clearing(condition, this.#written)),
          ...outdated(this.#written, status).map((type) => ({ type, $patch: 'delete' })),
        ],
        ...(replacesIPs(this.#written, status) && {
          podIPs: [...(status.podIPs ?? []), { $patch: 'replace' }],
        }),
      },
    };
    await this.#node.client.for(pods).patch({ namespace, name }, patch, {
      type: 'application/strategic-merge-patch+json',
      subresource: 'status',
      signal: this.#signal,
    });
  }
}

/** Whether `held` already says all that `wanted` says; conditions of others do not count. */
function says(held: PodStatus | undefined, wanted: PodStatus): boolean {
  if (!held) return false;
  const { conditions, ...rest } = wanted;
  const same = Object.entries(rest).every(([key, value]) =>
    isDeepStrictEqual(value, held[key as keyof PodStatus]),
  );
  return (
    same &&
    outdated(held, wanted).length === 0 &&
    (conditions ?? []).every((condition) =>
      held.conditions?.some((other) => other.type === condition.type && isDeepStrictEqual(other, condition)),
    )
  );
}

/** Conditions of the node's that hold only for a time. */
const PASSING: ReadonlySet<string> = new Set(['PodResizePending', 'PodResizeInProgress']);

/** Types of the held conditions that no longer hold. */
function outdated(held: PodStatus | undefined, wanted: PodStatus): readonly string[] {
  const still = new Set(wanted.conditions?.map(({ type }) => type));
  return (held?.conditions ?? []).flatMap(({ type }) =>
    PASSING.has(type) && !still.has(type) ? [type] : [],
  );
}

/** The condition with `null` for what the held one says and it does not: merging would keep that. */
function clearing(condition: PodCondition, held: PodStatus | undefined): object {
  const before = held?.conditions?.find((other) => other.type === condition.type);
  return {
    ...(before?.reason !== undefined && { reason: null }),
    ...(before?.message !== undefined && { message: null }),
    ...condition,
  };
}

/** Whether an address goes away, which merging by address would not do. */
function replacesIPs(held: PodStatus | undefined, wanted: PodStatus): boolean {
  const kept = new Set((wanted.podIPs ?? []).map(({ ip }) => ip));
  return (held?.podIPs ?? []).some(({ ip }) => !kept.has(ip));
}
