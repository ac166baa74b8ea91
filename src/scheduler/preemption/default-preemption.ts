import { poddisruptionbudgets } from '../../api/policy/v1.gen.ts';
import { fitMessage } from '../fit-message.ts';
import type { Diagnosis, Handle, Plugin, PluginFactory, PostFilterResult } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import type { CycleState } from '../cycle-state.ts';
import { askAboutCandidates } from '../extenders/ask-about-candidates.ts';
import { errorStatus, unresolvable, unschedulable } from '../status.ts';
import { findCandidates, type CandidateLimits } from './find-candidates.ts';
import { pickCandidate } from './pick-candidate.ts';
import { removeVictims } from './remove-victims.ts';
import type { Candidate } from './victims.ts';

const name = 'DefaultPreemption';

/** Makes room for a pod by removing less important ones, as few and as unimportant as possible. */
export const defaultPreemption: PluginFactory = {
  name,
  create: (handle, args) => createPlugin(handle, args.DefaultPreemption),
};

const stillPreempting = unresolvable('waiting for the preemption for this pod to be finished');

function createPlugin(handle: Handle, limits: CandidateLimits): Plugin {
  const budgets = handle.informers.for(poddisruptionbudgets);
  const preempting = new Set<string>();
  return {
    name,
    preEnqueue: ({ uid }) => (preempting.has(uid) ? stillPreempting : undefined),
    postFilter(state, pod, diagnosis) {
      const result = preempt(state, pod, diagnosis);
      return result instanceof Promise ? result.then(told) : told(result);
    },
    eventsToRegister: () => [
      {
        resource: 'AssignedPod',
        actions: ['Delete'],
        hint: ({ uid }) => (preempting.has(uid) ? 'QueueSkip' : 'Queue'),
      },
    ],
  };

  function preempt(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): PostFilterResult | Promise<PostFilterResult> {
    const obstacle = ineligibility(pod, diagnosis, handle);
    if (obstacle !== undefined) return { status: unschedulable(obstacle) };
    const dryRun = { handle, state, pod, budgets: budgets.list() };
    const { candidates, reasons } = findCandidates(dryRun, diagnosis, limits);
    if (candidates.length === 0) {
      const status = unschedulable(fitMessage(diagnosis.nodes.length, reasons));
      return { nominatedNode: '', status };
    }
    const asked = handle.extenders.filter((one) => one.preempts && one.isInterested(pod));
    if (asked.length === 0) return choose(pod, candidates);
    return askAboutCandidates(asked, pod, { candidates, snapshot: handle.snapshot }).then(
      (left) => choose(pod, left),
      (error: unknown) => ({ status: errorStatus(error) }),
    );
  }

  function choose(pod: PodInfo, candidates: readonly Candidate[]): PostFilterResult {
    const chosen = pickCandidate(candidates);
    if (!chosen) return { status: unschedulable('no candidate node for preemption') };
    preempting.add(pod.uid);
    handle.onPreemption(chosen.victims.length);
    void removeVictims(chosen, pod, { handle, finishing: () => void preempting.delete(pod.uid) });
    return { nominatedNode: chosen.node.name };
  }
}

function told(result: PostFilterResult): PostFilterResult {
  if (!result.status) return result;
  const reasons = result.status.reasons.map((reason) => `preemption: ${reason}`);
  return { ...result, status: { ...result.status, reasons } };
}

/** Why a pod may not preempt others now. */
function ineligibility(
  { pod, priority }: PodInfo,
  diagnosis: Diagnosis,
  { snapshot }: Handle,
): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.status?.nominatedNodeName;
  if (!nominated) return undefined;
  const rejection = diagnosis.rejections.find(({ node }) => node.name === nominated);
  if (rejection?.status.code === 'UnschedulableAndUnresolvable') return undefined;
  for (const other of snapshot.node(nominated)?.pods.values() ?? []) {
    if (other.priority < priority && isBeingPreempted(other))
      return 'not eligible due to a terminating pod on the nominated node.';
  }
  return undefined;
}

function isBeingPreempted({ pod }: PodInfo): boolean {
  if (pod.metadata.deletionTimestamp === undefined) return false;
  return (pod.status?.conditions ?? []).some(
    ({ type, status, reason }) =>
      type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
  );
}
