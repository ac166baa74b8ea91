import type { ContainerStatus as ApiContainerStatus, Pod } from '../api/core/v1.gen.ts';
import { containersOf, initContainersOf, isSidecar, restartsInit, shouldRestart } from './pod-containers.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The phase that container statuses amount to (the kubelet's getPhase). */
export function podPhase(seen: {
  readonly pod: Pod;
  readonly init: readonly ApiContainerStatus[];
  readonly main: readonly ApiContainerStatus[];
  readonly finished: boolean;
}): PodPhase {
  const init = countInit(seen);
  if (init.failed && !init.sidecarsRunning) return 'Failed';
  const main = countMain(seen);
  if (seen.finished && main.running === 0) {
    if (main.failed > 0 || (main.stopped === 0 && init.pending > 0)) return 'Failed';
    if (main.waiting === 0 && main.stopped > 0) return 'Succeeded';
    return 'Failed';
  }
  if (init.pending > 0 && main.running + main.stopped === 0) return 'Pending';
  if (main.waiting > 0) return 'Pending';
  if (main.running > 0) return 'Running';
  if (main.stopped === 0) return 'Pending';
  if (main.restarting > 0 || init.sidecarsRunning) return 'Running';
  return main.failed === 0 ? 'Succeeded' : 'Failed';
}

function countInit(seen: {
  readonly pod: Pod;
  readonly init: readonly ApiContainerStatus[];
  readonly finished: boolean;
}): {
  readonly pending: number;
  /** One failed and will not run again. */
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
    const again = ended && !seen.finished && restartsInit(seen.pod, container, ended.exitCode);
    if (ended && ended.exitCode !== 0 && !again) failed = true;
    if (!ended || ended.exitCode !== 0) pending++;
  }
  return { pending, failed, sidecarsRunning };
}

function countMain(seen: { readonly pod: Pod; readonly main: readonly ApiContainerStatus[] }): {
  readonly running: number;
  readonly stopped: number;
  readonly failed: number;
  /** How many of the stopped will run again. */
  readonly restarting: number;
  readonly waiting: number;
} {
  let running = 0;
  let stopped = 0;
  let failed = 0;
  let restarting = 0;
  let waiting = 0;
  const containers = new Map(containersOf(seen.pod).map((container) => [container.name, container]));
  for (const { name, state, lastState } of seen.main) {
    const container = containers.get(name);
    const ended = state?.terminated ?? (state?.waiting && lastState?.terminated);
    if (state?.running) running++;
    else if (!ended) waiting++;
    else {
      stopped++;
      if (ended.exitCode !== 0) failed++;
      if (container && shouldRestart(seen.pod, container, ended.exitCode)) restarting++;
    }
  }
  return { running, stopped, failed, restarting, waiting };
}
