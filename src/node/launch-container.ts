import { removeLogs } from './logs/remove-logs.ts';
import { RuntimeError, type ContainerStatus } from './container-runtime.ts';
import { HookError, runHook } from './lifecycle-hook.ts';
import type { PodObserver } from './pod-observer.ts';
import { createContainer, type StartRequest } from './start-container.ts';
import { stopContainer } from './stop-container.ts';

export interface LaunchRequest extends StartRequest {
  readonly observer: PodObserver;
  /** The container runs: its status may be reported. */
  onStarted(): void;
}

/**
 * Creates and starts a container and runs its postStart hook; what it comes to is left with the observer. Throws
 * `WaitingError` when the container cannot be made (yet).
 */
export async function launchContainer(request: LaunchRequest): Promise<void> {
  const { container, node, pod, observer } = request;
  await removeUnstarted(request);
  const id = await createContainer(request);
  request.signal.throwIfAborted();
  const hook = container.lifecycle?.postStart;
  if (hook) observer.hookBegins(id);
  try {
    await node.runtime.startContainer(id);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    await recordStartFailure(request, id, error);
    return;
  }
  node.events.record(pod, 'Normal', 'Started', 'Container started');
  observer.waiting.delete(container.name);
  const status = await node.runtime.containerStatus(id);
  if (status) await observer.observe(status);
  request.onStarted();
  if (status) await runPostStart(request, status);
  await removeOldAttempts(request);
}

/** A container that an agent created and then died before starting is made anew. */
async function removeUnstarted({ observer, node, container }: LaunchRequest): Promise<void> {
  for (const status of observer.histories.get(container.name) ?? []) {
    if (status.state !== 'created') continue;
    await node.runtime.removeContainer(status.id);
    observer.forget(status.id);
  }
}

/** Keeps the last ended attempt, for `logs --previous`. */
async function removeOldAttempts({ observer, node, container }: LaunchRequest): Promise<void> {
  const [, , ...old] = observer.histories.get(container.name) ?? [];
  for (const status of old) {
    if (status.state === 'running') continue;
    await node.runtime.removeContainer(status.id);
    observer.forget(status.id);
    await removeLogs(status.logPath);
  }
}

/** A process that could not be started counts as ended with code 128. */
async function recordStartFailure(request: LaunchRequest, id: string, error: RuntimeError): Promise<void> {
  const { node, pod, container, observer } = request;
  node.events.record(pod, 'Warning', 'Failed', `Error: ${error.message}`);
  observer.waiting.set(container.name, { reason: 'RunContainerError', message: error.message });
  const status = await node.runtime.containerStatus(id);
  observer.hookEnded(id);
  if (!status) return;
  const now = node.clock.now();
  await observer.observe({
    ...status,
    state: 'exited',
    exitCode: 128,
    reason: 'ContainerCannotRun',
    message: error.message,
    finishedAt: status.finishedAt ?? now,
  });
}

async function runPostStart(request: LaunchRequest, status: ContainerStatus): Promise<void> {
  const { node, pod, container, observer, signal } = request;
  const handler = container.lifecycle?.postStart;
  if (!handler) return;
  const { runtime, clock } = node;
  const target = { runtime, clock, container, containerId: status.id, host: observer.host, signal };
  try {
    await runHook(handler, target);
    observer.hookEnded(status.id);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof HookError) && !(error instanceof RuntimeError)) throw error;
    node.events.record(pod, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${error.message}`);
    const graceMs = (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    await stopContainer({ ...target, node, pod, status, why: 'FailedPostStartHook', graceMs });
  }
}
