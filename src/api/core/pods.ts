import { timestamp } from '../../base/clock.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { type ResourceDefinition, type StrategyContext, defineResource } from '../resource.ts';
import { applyAppArmorAnnotations } from './pod-annotations.ts';
import { bindPod } from './pod-binding.ts';
import { podColumns } from './pod-columns.ts';
import { podProxy } from './proxies.ts';
import { logTarget, portForwardTarget, streamTarget } from './pod-connections.ts';
import { takeEphemeralContainers, validateEphemeralContainersUpdate } from './pod-ephemeral-containers.ts';
import { evictPod } from './pod-eviction.ts';
import { mergeLabelKeys } from './pod-label-keys.ts';
import { takeResize, validateResize } from './pod-resize.ts';
import { dropDisabledFields } from './pod-spec/disabled-fields.ts';
import { defaultPod, mirrorServiceAccount } from './pod-spec/pod-defaults.ts';
import { podQos } from './pod-spec/pod-qos.ts';
import { hostNameWarnings } from './pod-spec/pod-name-warnings.ts';
import { podWarnings } from './pod-spec/pod-warnings.ts';
import { validatePodStatus } from './pod-status-validation.ts';
import { validatePod, validatePodUpdate } from './pod-validation.ts';
import { type Pod, pods as podType } from './v1.gen.ts';

const podKind = { group: '', version: 'v1', kind: 'Pod' };
const podSchema = 'io.k8s.api.core.v1.Pod';

function options(kind: string): { group: string; version: string; kind: string } {
  return { group: '', version: 'v1', kind };
}

function startPending(pod: DeepMutable<Pod>, context: StrategyContext): void {
  mirrorServiceAccount(pod.spec);
  applyAppArmorAnnotations(pod);
  dropDisabledFields(pod.spec, context);
  if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1;
  pod.status = { phase: 'Pending', qosClass: podQos(pod.spec) };
  if (pod.spec.schedulingGates?.length) {
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        lastTransitionTime: timestamp(context.now),
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  }
  mergeLabelKeys(pod);
}

function graceSeconds(pod: DeepMutable<Pod>, requested: number | undefined): number {
  const { phase } = pod.status ?? {};
  if (!pod.spec.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

/** Pods. A pod on a node lingers for its grace period until the kubelet deletes it; others go at once. */
export const pods: ResourceDefinition<Pod> = defineResource<Pod>({
  storage: 'v1',
  versions: { v1: { type: podType, schema: podSchema, defaults: defaultPod } },
  generation: true,
  prepareForCreate: startPending,
  prepareForUpdate(next, old, context) {
    next.status = mutableCopy(old.status ?? {});
    mirrorServiceAccount(next.spec);
    dropDisabledFields(next.spec, context);
  },
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  warnings: (pod, old) => (old ? [] : [...hostNameWarnings(pod), ...podWarnings(pod)]),
  status: {
    resets: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
    prepare(next, old) {
      next.spec = mutableCopy(old.spec);
      if (old.metadata.ownerReferences)
        next.metadata.ownerReferences = mutableCopy(old.metadata.ownerReferences);
      else delete next.metadata.ownerReferences;
      const qosClass = old.status?.qosClass;
      if (qosClass) next.status = { ...next.status, qosClass: next.status?.qosClass ?? qosClass };
    },
    validate: validatePodStatus,
  },
  subresources: {
    attach: {
      kind: options('PodAttachOptions'),
      verbs: ['create', 'get'],
      connect: (pod, query) => Promise.resolve(streamTarget('attach', pod, query)),
    },
    binding: {
      kind: options('Binding'),
      verbs: ['create'],
      schema: 'io.k8s.api.core.v1.Binding',
      modify: bindPod,
    },
    ephemeralcontainers: {
      kind: podKind,
      owns: ['spec.ephemeralContainers'],
      verbs: ['get', 'patch', 'update'],
      schema: podSchema,
      merge: takeEphemeralContainers,
      validateUpdate: validateEphemeralContainersUpdate,
    },
    eviction: {
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      olderVersions: ['v1beta1'],
      verbs: ['create'],
      schema: 'io.k8s.api.policy.v1.Eviction',
      create: evictPod,
    },
    exec: {
      kind: options('PodExecOptions'),
      verbs: ['create', 'get'],
      connect: (pod, query) => Promise.resolve(streamTarget('exec', pod, query)),
    },
    log: {
      kind: podKind,
      verbs: ['get'],
      connect: (pod, query) => Promise.resolve(logTarget(pod, query)),
    },
    portforward: {
      kind: options('PodPortForwardOptions'),
      verbs: ['create', 'get'],
      connect: (pod, query) => Promise.resolve(portForwardTarget(pod, query)),
    },
    proxy: podProxy,
    resize: {
      kind: podKind,
      owns: ['containers', 'initContainers'].flatMap((list) => [
        `spec.${list}.*.name`,
        `spec.${list}.*.resources`,
        `spec.${list}.*.resizePolicy`,
      ]),
      verbs: ['get', 'patch', 'update'],
      schema: podSchema,
      merge: takeResize,
      validateUpdate: validateResize,
    },
  },
  gracefulDelete: graceSeconds,
  returnsDeleted: true,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.podIPs': ({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  columns: podColumns,
});
