import type { ContainerStatus as ApiContainerStatus, Pod } from '../api/core/v1.gen.ts';
import { initContainersOf, isSidecar } from './pod-containers.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The phase that container statuses amount to (the kubelet's getPhase). */
export function podPhase(seen: {
  readonly pod: Pod;
  readonly init: readonly ApiContainerStatus[];
  readonly main: readonly ApiContainerStatus[];
  readonly finished: boolean;
}): PodPhase {
  const policy = seen.pod.spec?.restartPolicy ?? 'Always';
  const init = countInit(seen);
  if (init.failed && !init.sidecarsRunning && (seen.finished || policy === 'Never')) return 'Failed';
  const main = countMain(seen.main);
  if (seen.finished && main.running === 0) {
    if (main.failed > 0 || (main.stopped === 0 && init.pending > 0)) return 'Failed';
    if (main.waiting === 0 && main.stopped > 0) return 'Succeeded';
    return 'Failed';
  }
  if (init.pending > 0 && main.running + main.stopped === 0) return 'Pending';
  if (main.waiting > 0) return 'Pending';
  if (main.running > 0) return 'Running';
  if (main.stopped === 0) return 'Pending';
  if (policy === 'Always' || init.sidecarsRunning) return 'Running';
  if (main.failed === 0) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function countInit(seen: { readonly pod: Pod; readonly init: readonly ApiContainerStatus[] }): {
  readonly pending: number;
  readonly failed: boolean;
  readonly sidecarsRunning: boolean;
} {
  let pending = 0;
  let sidecarsRunning = false;
  let failed = false;
  for (const [position, container] of initContainersOf(seen.pod).entries()) {
    const status = seen.init[position];
    if (isSidecar(container)) {
      if (status?.state?.running) sidecarsRunning = true;
      const ran = status?.state?.terminated ?? status?.lastState?.terminated;
      if (!ran && !(status?.state?.running && status.started === true)) pending++;
      continue;
    }
    const ended = status?.state?.terminated ?? (status?.state?.waiting && status.lastState?.terminated);
    if (ended && ended.exitCode !== 0) failed = true;
    if (!ended || ended.exitCode !== 0) pending++;
  }
  return { pending, failed, sidecarsRunning };
}

function countMain(statuses: readonly ApiContainerStatus[]): {
  readonly running: number;
  readonly stopped: number;
  readonly failed: number;
  readonly waiting: number;
} {
  let running = 0;
  let stopped = 0;
  let failed = 0;
  let waiting = 0;
  for (const { state, lastState } of statuses) {
    const ended = state?.terminated ?? (state?.waiting && lastState?.terminated);
    if (state?.running) running++;
    else if (!ended) waiting++;
    else {
      stopped++;
      if (ended.exitCode !== 0) failed++;
    }
  }
  return { running, stopped, failed, waiting };
}
