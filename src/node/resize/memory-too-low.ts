import type { Pod, ResourceRequirements } from '../../api/core/v1.gen.ts';
import { podResources } from '../container-resources.ts';
import type { ContainerRuntime, ContainerStatus } from '../container-runtime.ts';
import { allContainersOf } from '../pod-containers.ts';
import { amount } from '../admission/insufficient-resource.ts';
import { allocationOf, withAllocation } from './allocation.ts';

interface Shrinking {
  readonly pod: Pod;
  readonly running: readonly ContainerStatus[];
  readonly runtime: Pick<ContainerRuntime, 'stats'>;
  /** What the containers have, by name. */
  readonly actual: ReadonlyMap<string, ResourceRequirements>;
}

/** Why memory limits cannot be lowered now: more is in use. The kubelet's words; undefined when they can. */
export async function memoryTooLow({
  pod,
  running,
  runtime,
  actual,
}: Shrinking): Promise<string | undefined> {
  const problems: string[] = [];
  let used = 0;
  const byContainer: string[] = [];
  for (const status of running) {
    const container = allContainersOf(pod).find(({ name }) => name === status.name);
    const had = amount('memory', actual.get(status.name)?.limits?.['memory']);
    const limit = amount('memory', container?.resources?.limits?.['memory']);
    const usage = (await runtime.stats(status.id))?.memoryUsageBytes ?? 0;
    used += usage;
    if (limit > 0 && limit < had && usage > limit)
      byContainer.push(
        `attempting to set container "${status.name}" memory limit (${limit}) below current usage (${usage})`,
      );
  }
  const granted = allocationOf(pod);
  const before = podResources(
    withAllocation(pod, {
      ...granted,
      containers: { ...granted.containers, ...Object.fromEntries(actual) },
    }),
  ).memoryLimitBytes;
  const after = podResources(pod).memoryLimitBytes;
  if (before !== undefined && after !== undefined && after < before && used > after)
    problems.push(`attempting to set pod memory limit (${after}) below current usage (${used})`);
  problems.push(...byContainer);
  if (problems.length === 0) return undefined;
  const text = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
  return `cannot decrease memory limits: ${text}`;
}
