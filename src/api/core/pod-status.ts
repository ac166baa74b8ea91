import { age } from '../columns.ts';
import type { Container, ContainerState, ContainerStatus, Pod } from './v1.gen.ts';

/** What `kubectl get pods` says of a pod. */
export interface PodSummary {
  readonly ready: string;
  /** `Running`, `Init:0/1`, `CrashLoopBackOff`, `Completed`, `Terminating` … */
  readonly status: string;
  /** Restarts, and how long ago the last was. */
  readonly restarts: string;
}

function isSidecar(container: Pick<Container, 'restartPolicy'> | undefined): boolean {
  return container?.restartPolicy === 'Always';
}

function ending(state: NonNullable<ContainerState['terminated']>): string {
  return state.signal ? `Signal:${state.signal}` : `ExitCode:${state.exitCode}`;
}

function lastEnd(status: ContainerStatus): number {
  return Date.parse(status.lastState?.terminated?.finishedAt ?? '') || 0;
}

function condition(pod: Pod, type: string): string | undefined {
  return pod.status?.conditions?.find((one) => one.type === type)?.status;
}

function phaseOf(pod: Pod): string {
  if (
    pod.status?.conditions?.some(
      ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
    )
  ) {
    return 'SchedulingGated';
  }
  return pod.status?.reason || pod.status?.phase || '';
}

interface Tally {
  restarts: number;
  last: number;
  ready: number;
}

/** The reason while init containers are at work, and undefined when they are done. */
function initReason(pod: Pod, sidecars: Tally, all: Tally): string | undefined {
  const specs = new Map((pod.spec.initContainers ?? []).map((one) => [one.name, one]));
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [index, status] of statuses.entries()) {
    const sidecar = isSidecar(specs.get(status.name));
    all.restarts += status.restartCount;
    all.last = Math.max(all.last, lastEnd(status));
    if (sidecar) {
      sidecars.restarts += status.restartCount;
      sidecars.last = Math.max(sidecars.last, lastEnd(status));
    }
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && status.started) {
      if (status.ready) sidecars.ready += 1;
      continue;
    }
    if (terminated) return `Init:${terminated.reason || ending(terminated)}`;
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
    return `Init:${index}/${specs.size}`;
  }
  return undefined;
}

function runningReason(pod: Pod, initial: string, tally: Tally): string {
  let reason = initial;
  let running = false;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    tally.restarts += status.restartCount;
    tally.last = Math.max(tally.last, lastEnd(status));
    const { terminated, waiting, running: isRunning } = status.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated) reason = terminated.reason || ending(terminated);
    else if (status.ready && isRunning) {
      running = true;
      tally.ready += 1;
    }
  }
  if (reason !== 'Completed' || !running) return reason;
  return condition(pod, 'Ready') === 'True' ? 'Running' : 'NotReady';
}

/** Upstream's printer of pods: the READY, STATUS and RESTARTS columns. `now` in milliseconds. */
export function summarizePod(pod: Pod, now: number): PodSummary {
  const sidecars: Tally = { restarts: 0, last: 0, ready: 0 };
  const starting: Tally = { restarts: 0, last: 0, ready: 0 };
  const phase = phaseOf(pod);
  const waitingForInit = initReason(pod, sidecars, starting);
  let status = waitingForInit ?? phase;
  let tally: Tally = { ...starting, ready: sidecars.ready };
  if (waitingForInit === undefined || condition(pod, 'Initialized') === 'True') {
    tally = sidecars;
    status = runningReason(pod, status, tally);
  }
  const total = pod.spec.containers.length + (pod.spec.initContainers ?? []).filter(isSidecar).length;
  if (pod.metadata.deletionTimestamp) {
    if (pod.status?.reason === 'NodeLost') status = 'Unknown';
    else if (pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') status = 'Terminating';
  }
  const since =
    tally.restarts > 0 && tally.last > 0 ? ` (${age(new Date(tally.last).toISOString(), now)} ago)` : '';
  return { ready: `${tally.ready}/${total}`, status, restarts: `${tally.restarts}${since}` };
}
