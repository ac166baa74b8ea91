import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { Container, PodSpec, PodTemplateSpec } from '../core/v1.gen.ts';
import type { Job } from './v1.gen.ts';

/** Whether a job is suspended and none of its pods runs: how its pods will run may still change then. */
export function isWaiting({ spec, status }: Job): boolean {
  if (!spec.suspend || (status?.active ?? 0) > 0) return false;
  const isSuspended = status?.conditions?.some((one) => one.type === 'Suspended' && one.status === 'True');
  return !status?.startTime || isSuspended === true;
}

/**
 * A waiting job's template with those changes of a later one that it may take: where its pods go, their labels and annotations, and
 * what their containers ask for (upstream's `validatePodTemplateUpdate`).
 */
export function withAllowedChanges(template: PodTemplateSpec, later: PodTemplateSpec): PodTemplateSpec {
  const copy = mutableCopy<PodTemplateSpec>(template);
  takeMetadata(copy, later);
  for (const name of ['nodeSelector', 'tolerations', 'schedulingGates'] as const)
    take(copy.spec, later.spec, name);
  takeNodeAffinity(copy.spec, later.spec);
  takeResources(copy.spec.containers, later.spec.containers);
  takeResources(copy.spec.initContainers, later.spec.initContainers);
  return copy;
}

function take<T extends object>(target: DeepMutable<T>, source: T, name: keyof T & string): void {
  const members = target as Record<string, unknown>;
  if (source[name] === undefined) delete members[name];
  else members[name] = source[name];
}

function takeMetadata(copy: DeepMutable<PodTemplateSpec>, { metadata }: PodTemplateSpec): void {
  if (!metadata && !copy.metadata) return;
  copy.metadata ??= {};
  for (const name of ['labels', 'annotations'] as const) take(copy.metadata, metadata ?? {}, name);
  if (!metadata && Object.keys(copy.metadata).length === 0) delete copy.metadata;
}

/** Of the affinity only that to nodes may change. */
function takeNodeAffinity(spec: DeepMutable<PodSpec>, { affinity }: PodSpec): void {
  if (!affinity && !spec.affinity) return;
  spec.affinity ??= {};
  take(spec.affinity, affinity ?? {}, 'nodeAffinity');
  if (!affinity && Object.keys(spec.affinity).length === 0) delete spec.affinity;
}

function takeResources(
  containers: DeepMutable<Container>[] | undefined,
  later: readonly Container[] | undefined,
): void {
  for (const [index, container] of (containers ?? []).entries()) {
    const same = later?.[index];
    if (same) take(container, same, 'resources');
  }
}
