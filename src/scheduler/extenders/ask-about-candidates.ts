import type { PodInfo } from '../pod-info.ts';
import type { Candidate } from '../preemption/victims.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Extender } from './extender.ts';

/** What is proposed, and the nodes that an extender may choose its victims from. */
export interface Proposal {
  readonly candidates: readonly Candidate[];
  readonly snapshot: Snapshot;
}

/**
 * Asks extenders one after another which nodes may be freed for a pod, and of whom: each gets what the one before left.
 * Throws when one that may not be ignored does not answer, or names a node without victims.
 */
export async function askAboutCandidates(
  extenders: readonly Extender[],
  pod: PodInfo,
  { candidates, snapshot }: Proposal,
): Promise<readonly Candidate[]> {
  let left = candidates;
  for (const extender of extenders) {
    if (left.length === 0) break;
    try {
      const answered = await extender.preempt(pod, left, snapshot);
      const idle = answered.find(({ victims }) => victims.length === 0);
      if (idle && !extender.ignorable)
        throw new Error(`expected at least one victim pod on node "${idle.node.name}"`);
      left = answered.filter(({ victims }) => victims.length > 0);
    } catch (error) {
      if (!extender.ignorable) throw error;
    }
  }
  return left;
}
