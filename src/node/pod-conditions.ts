import { timestamp } from '../base/clock.ts';
import type { ContainerStatus as ApiContainerStatus, Pod, PodCondition } from '../api/core/v1.gen.ts';
import { containersOf, initContainersOf, isSidecar } from './pod-containers.ts';
import type { PodPhase } from './pod-phase.ts';

/** What the conditions of a pod are computed from. */
export interface ConditionView {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly init: readonly ApiContainerStatus[];
  readonly main: readonly ApiContainerStatus[];
  /** Conditions reported before. */
  readonly previous: readonly PodCondition[];
  readonly sandboxReady: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface Finding {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

/** The conditions that the node owns, in upstream's order; transition times move only with the status. */
export function podConditions(view: ConditionView): readonly PodCondition[] {
  const containersReady = findContainersReady(view);
  const findings: readonly Finding[] = [
    { type: 'PodReadyToStartContainers', status: view.sandboxReady && !isOver(view) ? 'True' : 'False' },
    findInitialized(view),
    findReady(view, containersReady),
    containersReady,
  ];
  return findings.map((finding) => dated(view, finding));
}

function dated(view: ConditionView, finding: Finding): PodCondition {
  const before = view.previous.find((condition) => condition.type === finding.type);
  const kept = before?.status === finding.status ? before.lastTransitionTime : undefined;
  return {
    ...finding,
    lastTransitionTime: kept ?? timestamp(view.now),
    ...(view.pod.metadata.generation !== undefined && { observedGeneration: view.pod.metadata.generation }),
  };
}

function isOver(view: ConditionView): boolean {
  return view.phase === 'Succeeded' || view.phase === 'Failed';
}

function findInitialized(view: ConditionView): Finding {
  const type = 'Initialized';
  if (view.phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  const begun = view.main.some((status) => status.containerID !== undefined);
  const incomplete = initContainersOf(view.pod).filter((container, position) => {
    const status = view.init[position];
    if (isSidecar(container)) return status?.started !== true && status?.state?.terminated === undefined;
    return status?.ready !== true;
  });
  if (begun || incomplete.length === 0) return { type, status: 'True' };
  const names = incomplete.map((container) => container.name).join(' ');
  return {
    type,
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names}]`,
  };
}

function findContainersReady(view: ConditionView): Finding {
  const type = 'ContainersReady';
  if (view.phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (view.phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const sidecars = initContainersOf(view.pod).flatMap((container, position) =>
    isSidecar(container) && view.init[position]?.ready !== true ? [container.name] : [],
  );
  const main = containersOf(view.pod).flatMap((container, position) =>
    view.main[position]?.ready === true ? [] : [container.name],
  );
  const unready = [...sidecars, ...main];
  if (unready.length === 0) return { type, status: 'True' };
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { type, status: 'False', reason: 'ContainersNotReady', message };
}

function findReady(view: ConditionView, containersReady: Finding): Finding {
  const type = 'Ready';
  if (containersReady.status === 'False') return { ...containersReady, type };
  const messages = (view.pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = view.pod.status?.conditions?.find((one) => one.type === conditionType);
    if (!condition)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (messages.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
