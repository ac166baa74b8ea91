import type { Node, Pod } from '../../api/core/v1.gen.ts';
import { humanDuration } from '../../machinery/duration.ts';
import { describeLabels, describeTime } from './describe-metadata.ts';
import type { TabText } from './tab-text.ts';

const rolePrefix = 'node-role.kubernetes.io/';

/** A node as `kubectl describe` shows it, with the pods on it that are not over. `now` in milliseconds since the epoch. */
export function describeNode(
  text: TabText,
  node: Node,
  { pods, now }: { readonly pods: readonly Pod[]; readonly now: number },
): void {
  const { metadata, spec, status } = node;
  const roles = Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length));
  text.line(0, 'Name:', metadata.name ?? '');
  text.line(0, 'Roles:', roles.length === 0 ? '<none>' : roles.join(','));
  describeLabels(text, node);
  text.line(0, 'CreationTimestamp:', describeTime(metadata.creationTimestamp));
  const [first = '<none>', ...rest] = (spec?.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`,
  );
  text.line(0, 'Taints:', first);
  for (const taint of rest) text.line(0, '', taint);
  text.line(0, 'Unschedulable:', String(spec?.unschedulable === true));
  text.line(0, 'Conditions:');
  text.line(1, 'Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message');
  text.line(1, '----', '------', '-----------------', '------------------', '------', '-------');
  for (const condition of status?.conditions ?? [])
    text.line(
      1,
      condition.type,
      condition.status,
      describeTime(condition.lastHeartbeatTime),
      describeTime(condition.lastTransitionTime),
      condition.reason ?? '',
      condition.message ?? '',
    );
  text.line(0, 'Addresses:');
  for (const { type, address } of status?.addresses ?? []) text.line(1, `${type}:`, address);
  describeResources(text, 'Capacity', status?.capacity);
  describeResources(text, 'Allocatable', status?.allocatable);
  describeSystem(text, node);
  if (spec?.podCIDR) text.line(0, 'PodCIDR:', spec.podCIDR);
  if (spec?.podCIDRs) text.line(0, 'PodCIDRs:', spec.podCIDRs.join(','));
  describePods(text, pods, now);
}

function describeResources(
  text: TabText,
  label: string,
  resources: Readonly<Record<string, string>> | undefined,
): void {
  if (!resources) return;
  text.line(0, `${label}:`);
  for (const [name, quantity] of Object.entries(resources).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    text.line(1, `${name}:`, quantity);
}

function describeSystem(text: TabText, { status }: Node): void {
  const info = status?.nodeInfo;
  if (!info) return;
  text.line(0, 'System Info:');
  for (const [label, value] of [
    ['Machine ID', info.machineID],
    ['System UUID', info.systemUUID],
    ['Boot ID', info.bootID],
    ['Kernel Version', info.kernelVersion],
    ['OS Image', info.osImage],
    ['Operating System', info.operatingSystem],
    ['Architecture', info.architecture],
    ['Container Runtime Version', info.containerRuntimeVersion],
    ['Kubelet Version', info.kubeletVersion],
  ] as const)
    text.line(1, `${label}:`, value);
}

function describePods(text: TabText, pods: readonly Pod[], now: number): void {
  const running = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  text.line(0, 'Non-terminated Pods:', `(${running.length} in total)`);
  text.line(1, 'Namespace', 'Name', 'Age');
  text.line(1, '---------', '----', '---');
  for (const { metadata } of running) {
    const { namespace = '', name = '', creationTimestamp = '' } = metadata;
    text.line(1, namespace, name, humanDuration(now - Date.parse(creationTimestamp)));
  }
}
