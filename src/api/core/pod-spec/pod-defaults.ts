import type { DeepMutable } from '../../../machinery/object.ts';
import type { Container, Pod, PodSpec, PodStatus, PodTemplateSpec } from '../v1.gen.ts';
import { defaultContainer } from './container-defaults.ts';
import { defaultPodLevelResources } from './pod-level-resources.ts';
import { roundResources } from './resource-rounding.ts';
import { defaultVolume } from './volume-defaults.ts';

const legacyInitAnnotations = [
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
];

function dropLegacyInitAnnotations(metadata: DeepMutable<PodTemplateSpec['metadata']>): void {
  const annotations = metadata?.annotations;
  for (const key of legacyInitAnnotations) if (annotations) delete annotations[key];
}

/** Keeps the deprecated `serviceAccount` and `serviceAccountName` the same, as upstream's conversion does; the new name wins. */
export function mirrorServiceAccount(spec: DeepMutable<PodSpec>): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

function defaultPodSpec(spec: DeepMutable<PodSpec>): void {
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) {
    for (const container of list ?? []) defaultContainer(container);
  }
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  roundResources(spec.overhead);
  roundResources(spec.resources?.limits);
  roundResources(spec.resources?.requests);
  mirrorServiceAccount(spec);
}

/** Sets the defaults of the pod template of a workload; creates what Go always writes (`spec`, `metadata`). */
export function defaultPodTemplate(template: DeepMutable<PodTemplateSpec>): void {
  template.metadata ??= {};
  template.spec ??= { containers: [] };
  dropLegacyInitAnnotations(template.metadata);
  defaultPodSpec(template.spec);
}

function requestWhatIsLimited(container: DeepMutable<Container>): void {
  const { resources } = container;
  if (resources?.limits) resources.requests = { ...resources.limits, ...resources.requests };
}

function exposeOnHost(container: DeepMutable<Container>): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}

/** `podIP` wins where it differs from the first of `podIPs`, as of kubelets that know only the one; else it is that one. */
function agreeOnAddress(status: DeepMutable<PodStatus>): void {
  if (status.podIP && status.podIP !== status.podIPs?.[0]?.ip) status.podIPs = [{ ip: status.podIP }];
  if (status.podIPs?.[0]) status.podIP = status.podIPs[0].ip;
}

/** Sets a pod's defaults: those of a template, and those that only pods have (requests, service links, host ports). */
export function defaultPod(pod: DeepMutable<Pod>): void {
  pod.spec ??= { containers: [] };
  pod.status ??= {};
  agreeOnAddress(pod.status);
  dropLegacyInitAnnotations(pod.metadata);
  const { spec } = pod;
  defaultPodSpec(spec);
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  for (const container of containers) requestWhatIsLimited(container);
  defaultPodLevelResources(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork) for (const container of containers) exposeOnHost(container);
}
