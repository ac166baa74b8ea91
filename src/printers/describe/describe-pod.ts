import type { Pod, PodSpec, Toleration } from '../../api/core/v1.gen.ts';
import { describeContainer } from './describe-container.ts';
import { describeLabels, describePairs, describeTime } from './describe-metadata.ts';
import { describeVolumes } from './describe-volumes.ts';
import type { TabText } from './tab-text.ts';

/** A pod as `kubectl describe` shows it, without its events. */
export function describePod(text: TabText, pod: Pod): void {
  const { metadata, spec, status } = pod;
  text.line(0, 'Name:', metadata.name ?? '');
  text.line(0, 'Namespace:', metadata.namespace ?? '');
  text.line(0, 'Priority:', String(spec?.priority ?? 0));
  if (spec?.priorityClassName) text.line(0, 'Priority Class Name:', spec.priorityClassName);
  text.line(0, 'Service Account:', spec?.serviceAccountName ?? '');
  text.line(0, 'Node:', spec?.nodeName ? [spec.nodeName, status?.hostIP ?? ''].join('/') : '<none>');
  if (status?.startTime) text.line(0, 'Start Time:', describeTime(status.startTime));
  describeLabels(text, pod);
  describeStatus(text, pod);
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner) text.line(0, 'Controlled By:', ` ${owner.kind}/${owner.name}`.trim());
  describeContainers(text, pod);
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) {
    text.line(0, 'Conditions:');
    text.line(1, 'Type', 'Status');
    for (const condition of conditions) text.line(1, condition.type, condition.status);
  }
  describeVolumes(text, spec?.volumes ?? []);
  text.line(0, 'QoS Class:', status?.qosClass ?? '');
  describePairs(text, 'Node-Selectors', spec?.nodeSelector);
  describeTolerations(text, spec?.tolerations ?? []);
}

function describeStatus(text: TabText, { metadata, spec, status }: Pod): void {
  if (metadata.deletionTimestamp) {
    text.line(0, 'Status:', `Terminating (since ${describeTime(metadata.deletionTimestamp)})`);
    text.line(0, 'Termination Grace Period:', `${spec?.terminationGracePeriodSeconds ?? 0}s`);
  } else {
    text.line(0, 'Status:', status?.phase ?? '');
  }
  if (status?.reason) text.line(0, 'Reason:', status.reason);
  if (status?.message) text.line(0, 'Message:', status.message);
  text.line(0, 'IP:', status?.podIP ?? '');
  const ips = status?.podIPs ?? [];
  if (ips.length === 0) text.line(0, 'IPs:', '<none>');
  else {
    text.line(0, 'IPs:');
    for (const { ip } of ips) text.line(1, 'IP:', ip);
  }
}

function describeContainers(text: TabText, { spec, status }: Pod): void {
  const groups = [
    ['Init Containers', spec?.initContainers, status?.initContainerStatuses],
    ['Containers', spec?.containers, status?.containerStatuses],
    ['Ephemeral Containers', spec?.ephemeralContainers, status?.ephemeralContainerStatuses],
  ] as const;
  for (const [label, containers, statuses] of groups) {
    if (!containers || containers.length === 0) continue;
    text.line(0, `${label}:`);
    for (const container of containers) {
      text.line(1, `${container.name}:`);
      const status = statuses?.find(({ name }) => name === container.name);
      describeContainer(text, container, status);
    }
  }
}

function describeTolerations(text: TabText, tolerations: readonly Toleration[]): void {
  const [first = '<none>', ...rest] = tolerations.map(tolerationText).toSorted();
  text.line(0, 'Tolerations:', first);
  for (const line of rest) text.line(0, '', line);
}

function tolerationText({ key = '', operator, value, effect, tolerationSeconds }: Toleration): string {
  const head = value ? `${key}=${value}` : key;
  const parts = [
    effect ? `${head}:${effect}` : head,
    ...(operator === 'Exists' ? ['op=Exists'] : []),
    ...(tolerationSeconds === undefined ? [] : [`for ${tolerationSeconds}s`]),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** The pods that a template makes. */
export function describePodTemplate(
  text: TabText,
  template: {
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    readonly spec?: PodSpec;
  },
): void {
  const { spec, metadata } = template;
  text.line(0, 'Pod Template:');
  const labels = Object.entries(metadata?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const [first = '<none>', ...rest] = labels.toSorted();
  text.line(1, 'Labels:', first);
  for (const line of rest) text.line(1, '', line);
  if (spec?.serviceAccountName) text.line(1, 'Service Account:', spec.serviceAccountName);
  for (const [label, containers] of [
    ['Init Containers', spec?.initContainers],
    ['Containers', spec?.containers],
  ] as const) {
    if (!containers || containers.length === 0) continue;
    text.line(1, `${label}:`);
    for (const container of containers) {
      text.line(1, ` ${container.name}:`);
      describeContainer(text, container, undefined);
    }
  }
  const volumes = (spec?.volumes ?? []).map(({ name }) => name);
  text.line(1, 'Volumes:', volumes.length === 0 ? '<none>' : volumes.join(', '));
}
