import type { Pod } from '../../api/core/v1.gen.ts';
import { amount } from '../admission/insufficient-resource.ts';
import { podResources } from '../container-resources.ts';
import type { ContainerRuntime, ContainerStatus } from '../container-runtime.ts';
import { allContainersOf } from '../pod-containers.ts';

interface Shrinking {
  /** With what it is to have. */
  readonly pod: Pod;
  /** With what it has. */
  readonly before: Pod;
  readonly running: readonly ContainerStatus[];
  readonly runtime: Pick<ContainerRuntime, 'stats'>;
}

/** Why memory limits cannot be lowered now: more is in use. The kubelet's words; undefined when they can. */
export async function memoryTooLow({
  pod,
  before,
  running,
  runtime,
}: Shrinking): Promise<string | undefined> {
  const ofContainers: string[] = [];
  let used = 0;
  for (const { id, name } of running) {
    const [had, limit] = [limitOf(before, name), limitOf(pod, name)];
    const usage = (await runtime.stats(id))?.memoryUsageBytes ?? 0;
    used += usage;
    if (limit > 0 && limit < had && usage > limit)
      ofContainers.push(
        `attempting to set container "${name}" memory limit (${limit}) below current usage (${usage})`,
      );
  }
  const [had, limit] = [podResources(before).memoryLimitBytes, podResources(pod).memoryLimitBytes];
  const ofPod =
    had !== undefined && limit !== undefined && limit < had && used > limit
      ? [`attempting to set pod memory limit (${limit}) below current usage (${used})`]
      : [];
  const problems = [...ofPod, ...ofContainers];
  if (problems.length === 0) return undefined;
  return `cannot decrease memory limits: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`;
}

function limitOf(pod: Pod, container: string): number {
  const found = allContainersOf(pod).find(({ name }) => name === container);
  return amount('memory', found?.resources?.limits?.['memory']);
}
