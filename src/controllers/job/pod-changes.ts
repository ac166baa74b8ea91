import type { Job } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { inDeletionOrder } from '../pods/deletion-order.ts';
import { isPodTerminating } from '../pods/pod-state.ts';
import { msUntilSuccessor } from './index-failures.ts';
import { indexOf, isIndexed, limitsEachIndex, replacesOnlyFailed, validIndexOf } from './job-state.ts';
import { endOf, msUntilRetry } from './retry-delay.ts';
import type { Tally } from './tally.ts';
import type { Case } from './verdict.ts';

/** A pod to create, of an indexed job for an index; it may follow one that was lost. */
export interface NewPod {
  readonly index?: number;
  readonly follows?: Live<Pod>;
}

/** How the pods of a job that goes on are to change. */
export interface PodChanges {
  readonly create: readonly NewPod[];
  /** Pods that are too many: they go without being counted. */
  readonly discard: readonly Live<Pod>[];
  /** Milliseconds until more may be created. */
  readonly waitMs: number | undefined;
}

/** How many pods are created or deleted at once. */
const burst = 500;
const nothing: PodChanges = { create: [], discard: [], waitMs: undefined };

/** What a job that goes on needs: pods too many are deleted before any is created. */
export function planPods(subject: Case): PodChanges {
  const { job, tally } = subject;
  if (job.metadata.deletionTimestamp !== undefined) return nothing;
  if (job.spec.suspend) return { ...nothing, discard: tally.active };
  const wanted = wantedActive(job, tally);
  const discard = surplus(subject, wanted);
  if (discard.length > 0) return { ...nothing, discard };
  const occupied = tally.active.length + (replacesOnlyFailed(job) ? tally.terminating : 0);
  const count = Math.min(burst, wanted - occupied);
  if (count <= 0) return nothing;
  return limitsEachIndex(job) ? eachIndex(subject, count) : allAlike(subject, count);
}

function wantedActive({ spec }: Job, { active, succeeded }: Tally): number {
  const { parallelism = 1, completions } = spec;
  if (completions !== undefined) return Math.max(0, Math.min(parallelism, completions - succeeded));
  return succeeded > 0 ? active.length : parallelism;
}

/** Pods without an index of the job, all but one of each index, and as many more as are too many. */
function surplus({ job, tally, now }: Case, wanted: number): readonly Live<Pod>[] {
  const { active } = tally;
  const redundant = isIndexed(job) ? redundantPods(job, active, now) : new Set<Live<Pod>>();
  const rest = active.filter((pod) => !redundant.has(pod));
  const excess = Math.max(0, active.length - wanted - redundant.size);
  return [...redundant, ...inDeletionOrder(rest, rest, now).slice(0, excess)].slice(0, burst);
}

function redundantPods(job: Job, active: readonly Live<Pod>[], now: number): Set<Live<Pod>> {
  const redundant = new Set<Live<Pod>>();
  const byIndex = new Map<number, Live<Pod>[]>();
  for (const pod of active) {
    const index = validIndexOf(pod, job);
    if (index === undefined) redundant.add(pod);
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  for (const rivals of byIndex.values())
    for (const pod of inDeletionOrder(rivals, rivals, now).slice(0, -1)) redundant.add(pod);
  return redundant;
}

/** All failures of the job count towards the wait: 10 s after the first, twice as long after each further one. */
function allAlike({ job, tally, pods, now }: Case, count: number): PodChanges {
  const waitMs = msUntilRetry(tally.failures.length, Math.max(0, ...tally.failures.map(endOf)), now);
  if (waitMs > 0) return { ...nothing, waitMs };
  if (!isIndexed(job)) return { ...nothing, create: Array.from({ length: count }, () => ({})) };
  return { ...nothing, create: freeIndexes({ job, tally, pods, now }, count).map((index) => ({ index })) };
}

/** Each index waits for itself. */
function eachIndex(subject: Case, count: number): PodChanges {
  const { tally, now } = subject;
  const candidates = freeIndexes(subject, count).map((index) => {
    const follows = tally.lastLost.get(index);
    return { pod: { index, ...(follows && { follows }) }, waitMs: msUntilSuccessor(follows, now) };
  });
  const create = candidates.filter(({ waitMs }) => waitMs === 0).map(({ pod }) => pod);
  const waits = candidates.map(({ waitMs }) => waitMs).filter((waitMs) => waitMs > 0);
  return { ...nothing, create, waitMs: waits.length > 0 ? Math.min(...waits) : undefined };
}

/** The first indexes that are neither done, given up nor at work. */
function freeIndexes({ job, tally, pods }: Case, count: number): readonly number[] {
  const { active, completedIndexes, failedIndexes } = tally;
  const ending = replacesOnlyFailed(job) ? pods.filter(isPodTerminating) : [];
  const taken = new Set([...active, ...ending].map(indexOf));
  const free: number[] = [];
  const { completions = 0 } = job.spec;
  for (
    let index = completedIndexes.nextAbsent(0);
    index < completions && free.length < count;
    index = completedIndexes.nextAbsent(index + 1)
  ) {
    if (!taken.has(index) && !failedIndexes?.has(index)) free.push(index);
  }
  return free;
}
