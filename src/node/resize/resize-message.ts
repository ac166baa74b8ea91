import type { Container, Pod, ResourceRequirements } from '../../api/core/v1.gen.ts';
import { containersOf, sidecarsOf } from '../pod-containers.ts';

/** The text of the events about a resize, as the kubelet writes it: a title and the resources as JSON. */
export function resizeMessage(title: string, pod: Pod, error?: string): string {
  const init = sidecarsOf(pod).flatMap(described);
  const main = containersOf(pod).flatMap(described);
  const summary = {
    ...(pod.spec.resources && { podResources: ordered(pod.spec.resources) }),
    ...(init.length > 0 && { initContainers: init }),
    ...(main.length > 0 && { containers: main }),
    generation: pod.metadata.generation ?? 0,
    ...(error !== undefined && { error }),
  };
  return `${title}: ${JSON.stringify(summary)}`;
}

function described({ name, resources }: Container): readonly object[] {
  return resources?.limits || resources?.requests ? [{ name, resources: ordered(resources) }] : [];
}

function ordered({ limits, requests }: ResourceRequirements): object {
  return { ...(limits && { limits: sorted(limits) }), ...(requests && { requests: sorted(requests) }) };
}

function sorted(list: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(list).sort(([a], [b]) => (a < b ? -1 : 1)));
}
