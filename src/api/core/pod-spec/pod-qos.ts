import type { PodSpec, ResourceRequirements } from '../v1.gen.ts';
import { compareQuantities } from './quantities.ts';

const counted = ['cpu', 'memory'];

function positive(list: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  const value = list?.[name];
  return value !== undefined && compareQuantities(value, '0') > 0 ? value : undefined;
}

function isGuaranteed(resources: ResourceRequirements | undefined): boolean {
  return counted.every((name) => {
    const limit = positive(resources?.limits, name);
    const request = positive(resources?.requests, name);
    return limit !== undefined && request !== undefined && compareQuantities(limit, request) === 0;
  });
}

function isBestEffort(resources: ResourceRequirements | undefined): boolean {
  return counted.every(
    (name) =>
      positive(resources?.limits, name) === undefined && positive(resources?.requests, name) === undefined,
  );
}

/** The quality of service that a pod's cpu and memory give it; resources of the whole pod come before its containers'. */
export function podQos(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const own = spec.resources;
  const all =
    own && (own.limits || own.requests)
      ? [own]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources);
  if (all.every(isBestEffort)) return 'BestEffort';
  return all.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}
