import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { ContainerStatus } from './container-runtime.ts';
import type { NodeContext } from './node-context.ts';
import { allContainersOf, sidecarsOf } from './pod-containers.ts';
import { stopContainer } from './stop-container.ts';

export interface StopPodRequest {
  readonly node: NodeContext;
  readonly pod: Pod;
  readonly running: readonly ContainerStatus[];
  readonly graceMs: number;
  readonly host: string;
  readonly signal: AbortSignal;
}

/** Ends a pod's containers: the main ones together, then the sidecars in reverse order, all within one grace period. */
export async function stopPod(request: StopPodRequest): Promise<void> {
  const { node, pod, running } = request;
  const began = node.clock.monotonic();
  const sidecars = sidecarsOf(pod).map((container) => container.name);
  const byName = new Map(allContainersOf(pod).map((container) => [container.name, container]));
  const stop = async (status: ContainerStatus, graceMs: number): Promise<void> => {
    const container = byName.get(status.name) ?? unknownContainer(status);
    const why = `Stopping container ${status.name}`;
    await stopContainer({ ...request, container, status, why, graceMs });
  };
  const main = running.filter((status) => !sidecars.includes(status.name));
  await Promise.all(main.map((status) => stop(status, request.graceMs)));
  for (const name of sidecars.toReversed()) {
    const left = Math.max(0, request.graceMs - (node.clock.monotonic() - began));
    const mine = running.filter((status) => status.name === name);
    await Promise.all(mine.map((status) => stop(status, request.graceMs === 0 ? 0 : Math.max(2000, left))));
  }
}

function unknownContainer(status: ContainerStatus): Container {
  return { name: status.name, image: status.image };
}
