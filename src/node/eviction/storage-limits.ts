import { podLimits } from '../../api/core/pod-spec/pod-totals.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { amount } from '../admission/insufficient-resource.ts';

/** What a pod has on the node's disk, in bytes. */
export interface PodStorage {
  /** By volume name. */
  readonly emptyDirs: ReadonlyMap<string, number>;
  /** Logs and changed files of its running containers, by name. */
  readonly containers: ReadonlyMap<string, number>;
  readonly inodes: number;
}

const RESOURCE = 'ephemeral-storage';

/** Whether anything limits what the pod may store. */
export function limitsStorage(pod: Pod): boolean {
  const limited = pod.spec.volumes?.some(
    ({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium !== 'Memory',
  );
  return limited === true || podLimits(pod.spec)[RESOURCE] !== undefined;
}

/** All bytes of a pod. */
export function totalStorage({ emptyDirs, containers }: PodStorage): number {
  return [...emptyDirs.values(), ...containers.values()].reduce((sum, one) => sum + one, 0);
}

/** The kubelet's complaint about the first limit that a pod's storage exceeds: an emptyDir's, the pod's, a container's. */
export function storageOverLimit(pod: Pod, used: PodStorage): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit === undefined || amount(RESOURCE, limit) === 0) continue;
    if ((used.emptyDirs.get(name) ?? 0) > amount(RESOURCE, limit))
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
  }
  const whole = podLimits(pod.spec)[RESOURCE];
  if (whole !== undefined && totalStorage(used) > amount(RESOURCE, whole))
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${whole}. `;
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources?.limits?.[RESOURCE];
    if (limit === undefined || amount(RESOURCE, limit) === 0) continue;
    if ((used.containers.get(name) ?? 0) > amount(RESOURCE, limit))
      return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}
