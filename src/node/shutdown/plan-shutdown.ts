import type { Pod } from '../../api/core/v1.gen.ts';

/** Pods that end together, and how long they may take. */
export interface ShutdownGroup<T> {
  readonly graceMs: number;
  readonly members: readonly (T & { readonly graceMs: number })[];
}

/**
 * In which groups pods end when their node shuts down: by priority, the least important first; nobody gets more than
 * its group has (the kubelet's shutdownGracePeriodByPodPriority).
 */
export function planShutdown<T extends { readonly pod: Pod }>(
  members: readonly T[],
  grace: readonly { readonly priority: number; readonly graceMs: number }[],
): readonly ShutdownGroup<T>[] {
  const ascending = grace.toSorted((a, b) => a.priority - b.priority);
  return ascending
    .map(({ graceMs }, index) => ({
      graceMs,
      members: members
        .filter(({ pod }) => groupOf(pod.spec.priority ?? 0, ascending) === index)
        .map((member) => ({ ...member, graceMs: Math.min(graceMs, ownGraceMs(member.pod)) })),
    }))
    .filter((group) => group.members.length > 0);
}

function groupOf(priority: number, ascending: readonly { readonly priority: number }[]): number {
  return Math.max(
    0,
    ascending.findLastIndex((group) => group.priority <= priority),
  );
}

function ownGraceMs({ spec }: Pod): number {
  return (spec.terminationGracePeriodSeconds ?? 30) * 1000;
}
