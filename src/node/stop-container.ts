import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { ContainerStatus } from './container-runtime.ts';
import { HookError, runHook } from './lifecycle-hook.ts';
import type { NodeContext } from './node-context.ts';
import { RuntimeError } from './container-runtime.ts';

/** After a preStop hook a container has at least this long to end. */
const MIN_GRACE_MS = 2000;

export interface StopRequest {
  readonly node: NodeContext;
  readonly pod: Pod;
  readonly container: Container;
  readonly status: ContainerStatus;
  /** Message of the `Killing` event. */
  readonly why: string;
  readonly graceMs: number;
  /** Address of the pod, for HTTP hooks. */
  readonly host: string;
  /** Cuts the preStop hook short. */
  readonly signal: AbortSignal;
}

/** Runs the preStop hook within the grace period, then asks the container to end and kills it when the time is up. */
export async function stopContainer(request: StopRequest): Promise<void> {
  const { node, pod, status, graceMs } = request;
  node.events.record(pod, 'Normal', 'Killing', request.why);
  const began = node.clock.monotonic();
  if (request.container.lifecycle?.preStop && graceMs > 0 && status.state === 'running')
    await runPreStop(request);
  const spent = node.clock.monotonic() - began;
  const left = graceMs === 0 ? 0 : Math.max(MIN_GRACE_MS, graceMs - spent);
  await node.runtime.stopContainer(status.id, spent < 1 ? graceMs : left);
}

async function runPreStop(request: StopRequest): Promise<void> {
  const { node, pod, container, graceMs } = request;
  const handler = container.lifecycle?.preStop;
  if (!handler) return;
  const deadline = new AbortController();
  const timer = node.clock.after(graceMs, () => deadline.abort());
  const signal = AbortSignal.any([deadline.signal, request.signal]);
  try {
    await runHook(handler, {
      runtime: node.runtime,
      clock: node.clock,
      container,
      containerId: request.status.id,
      host: request.host,
      signal,
    });
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof HookError) && !(error instanceof RuntimeError)) throw error;
    node.events.record(pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${error.message}`);
  } finally {
    timer.cancel();
  }
}
