import type { KubeObject } from '../../../machinery/object.ts';
import { isExtendedResource, isHugePage, isNativeResource } from '../pod-spec/resource-names.ts';
import { podQos } from '../pod-spec/pod-qos.ts';
import { podLimits, podRequests, withActualRequests, withOverhead } from '../pod-spec/pod-totals.ts';
import type { ResourceList } from '../pod-spec/quantities.ts';
import type { Pod, ScopedResourceSelectorRequirement } from '../v1.gen.ts';
import type { QuotaEvaluator } from './quota-evaluator.ts';
import { scopeMatches } from './scope-matches.ts';

const computeNames = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);
const podNames = new Set([
  ...computeNames,
  'count/pods',
  'pods',
  'ephemeral-storage',
  'requests.ephemeral-storage',
  'limits.ephemeral-storage',
]);
const measured = ['cpu', 'memory', 'ephemeral-storage'];

function computeUsage(requests: ResourceList, limits: ResourceList): Record<string, string> {
  const usage: Record<string, string> = { pods: '1' };
  for (const name of measured) {
    const request = requests[name];
    const limit = limits[name];
    if (request !== undefined) {
      usage[name] = request;
      usage[`requests.${name}`] = request;
    }
    if (limit !== undefined) usage[`limits.${name}`] = limit;
  }
  for (const [name, request] of Object.entries(requests)) {
    if (isHugePage(name)) usage[name] = request;
    if (isHugePage(name) || isExtendedResource(name)) usage[`requests.${name}`] = request;
  }
  return usage;
}

/** Finished pods, and those that should be gone by now, use nothing but their place in the store. */
function isOver({ metadata, status }: Pod, now: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return now > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function usage(object: KubeObject, now: number): ResourceList {
  const pod = object as Pod;
  if (isOver(pod, now)) return { 'count/pods': '1' };
  const spec = withActualRequests(pod);
  const requests = withOverhead(podRequests(spec), spec);
  const limits = podLimits(spec);
  const overhead = Object.fromEntries(
    Object.entries(spec.overhead ?? {}).filter(([name]) => limits[name] !== undefined),
  );
  return {
    'count/pods': '1',
    ...computeUsage(requests, withOverhead(limits, { ...spec, overhead })),
  };
}

/** Whether affinity terms look at other namespaces. */
function looksAbroad({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  return [podAffinity, podAntiAffinity]
    .flatMap((affinity) => [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ podAffinityTerm }) => podAffinityTerm,
      ),
    ])
    .some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined);
}

function inScope(object: KubeObject, scope: ScopedResourceSelectorRequirement): boolean {
  const pod = object as Pod;
  const terminating = (pod.spec.activeDeadlineSeconds ?? -1) >= 0;
  switch (scope.scopeName) {
    case 'Terminating':
      return terminating;
    case 'NotTerminating':
      return !terminating;
    case 'BestEffort':
      return podQos(pod.spec) === 'BestEffort';
    case 'NotBestEffort':
      return podQos(pod.spec) !== 'BestEffort';
    case 'PriorityClass':
      return scopeMatches(scope, pod.spec.priorityClassName);
    case 'CrossNamespacePodAffinity':
      return looksAbroad(pod);
    default:
      return false;
  }
}

function unspecified(object: KubeObject, names: readonly string[]): string | undefined {
  const { spec } = object as Pod;
  const whole = computeUsage(spec.resources?.requests ?? {}, spec.resources?.limits ?? {});
  const wanted = names.filter((name) => computeNames.has(name) && whole[name] === undefined);
  const missing = new Map<string, string[]>();
  for (const { name, resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const own = computeUsage(resources?.requests ?? {}, resources?.limits ?? {});
    for (const resource of wanted) {
      if (own[resource] === undefined) missing.set(resource, [...(missing.get(resource) ?? []), name]);
    }
  }
  if (missing.size === 0) return undefined;
  const parts = [...missing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, containers]) => `${resource} for: ${[...new Set(containers)].sort().join(',')}`);
  return `must specify ${parts.join('; ')}`;
}

/** Pods count as long as they run, with what they ask for; `count/pods` counts every one that is stored. */
export const podEvaluator: QuotaEvaluator = {
  charges: (operation, subresource) =>
    (operation === 'CREATE' && subresource === '') || (operation === 'UPDATE' && subresource === 'resize'),
  counts: (name) =>
    podNames.has(name) ||
    isHugePage(name) ||
    name.startsWith('requests.hugepages-') ||
    (name.startsWith('requests.') && !isNativeResource(name)),
  usage,
  inScope,
  unspecified,
};
