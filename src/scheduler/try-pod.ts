import type { Node, Pod } from '../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import { buildProfile, defaultProfilePlan, type ProfilePlan } from './build-profile.ts';
import { CycleState } from './cycle-state.ts';
import { fitErrorMessage } from './fit-message.ts';
import type { Handle } from './framework.ts';
import { idleHandle } from './idle-handle.ts';
import { Nominator } from './nominator.ts';
import { inTreePlugins } from './plugins/in-tree-plugins.ts';
import { podInfo } from './pod-info.ts';
import type { Profile } from './profile.ts';
import { seededRandom } from './random.ts';
import { placePod } from './schedule-pod.ts';
import { SchedulerCache } from './scheduler-cache.ts';

/** A cluster to try a pod on. */
export interface Trial {
  readonly nodes: readonly Live<Node>[];
  readonly placed?: readonly (readonly [pod: Live<Pod>, nodeName: string])[];
  readonly plan?: ProfilePlan;
  namespaceLabels?(name: string): Readonly<Record<string, string>> | undefined;
  /** Objects of other kinds that plug-ins look at. */
  readonly objects?: readonly Live<KubeObject>[];
}

/** Where the pod goes, or the sentence about why nowhere: one scheduling cycle without a server. For tests. */
export function tryPod(pod: Live<Pod>, trial: Trial): string {
  const cache = new SchedulerCache(trial.namespaceLabels ?? (() => ({})));
  for (const node of trial.nodes) cache.setNode(node);
  for (const [other, nodeName] of trial.placed ?? []) cache.confirm(other, nodeName);
  const nominator = new Nominator();
  const random = seededRandom(0);
  let profile: Profile | undefined;
  const handle: Handle = {
    ...idleHandle(trial.objects),
    snapshot: cache,
    nominations: nominator,
    random,
    filter: (state, info, node) => profile?.filter(state, info, node, profile.filtersFor(state))?.status,
    addPod: (state, info, added, node) => profile?.addPod(state, info, added, node),
    removePod: (state, info, removed, node) => profile?.removePod(state, info, removed, node),
  };
  const plan = trial.plan ?? defaultProfilePlan();
  profile = buildProfile(plan, { registry: inTreePlugins, handle, nominator });
  const state = new CycleState();
  const placement = placePod(podInfo(pod), {
    profile,
    state,
    snapshot: cache,
    percentageOfNodesToScore: 0,
    search: { start: 0 },
    random,
  });
  switch (placement.outcome) {
    case 'fits':
      return placement.nodeName;
    case 'no-nodes':
      return 'no nodes available to schedule pods';
    case 'error':
      return placement.failed.status.reasons.join(', ');
    default: {
      const { diagnosis } = placement;
      const result = profile.postFilter(state, podInfo(pod), diagnosis);
      if (result instanceof Promise) throw new Error('this trial has no extenders');
      return fitErrorMessage(diagnosis, result?.status?.reasons.join(', ') ?? '');
    }
  }
}
