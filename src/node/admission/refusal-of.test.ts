import { describe, expect, it } from 'vitest';
import type { Node, Pod, PodSpec, PodStatus } from '../../api/core/v1.gen.ts';
import { refusalOf, type AdmissionView } from './refusal-of.ts';

function pod(
  spec: Partial<PodSpec>,
  more: { readonly annotations?: Record<string, string> } & PodStatus = {},
): Pod {
  const { annotations, ...status } = more;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...(annotations && { annotations }) },
    spec: { containers: [{ name: 'c' }], ...spec },
    status,
  };
}

function asking(requests: Readonly<Record<string, string>>): Pod {
  return pod({ containers: [{ name: 'c', resources: { requests } }] });
}

const port = (hostPort: number): Partial<PodSpec> => ({
  containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort }] }],
});

const sysctl = (name: string, more: Partial<PodSpec> = {}): Partial<PodSpec> => ({
  securityContext: { sysctls: [{ name, value: '1' }] },
  ...more,
});

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', labels: { disk: 'ssd' } },
  spec: {
    taints: [
      { key: 'gone', effect: 'NoExecute' },
      { key: 'full', effect: 'NoSchedule' },
    ],
  },
};
const untainted: Node = { ...node, spec: {} };

interface Row {
  readonly name: string;
  readonly pod: Pod;
  readonly view?: Partial<AdmissionView>;
  readonly refusal: string | undefined;
}

const allocatable = { cpu: '2', memory: '1Gi', pods: '3', 'example.com/gpu': '1' };

const rows: readonly Row[] = [
  { name: 'a pod that fits is taken', pod: asking({ cpu: '2', memory: '1Gi' }), refusal: undefined },
  {
    name: 'too much cpu',
    pod: asking({ cpu: '1500m' }),
    view: { others: [asking({ cpu: '1' })] },
    refusal: "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
  },
  {
    name: 'too much memory',
    pod: asking({ memory: '2Gi' }),
    refusal:
      "OutOfmemory: Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
  },
  {
    name: 'too many pods',
    pod: pod({}),
    view: { others: [pod({}), pod({}), pod({})] },
    refusal: "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
  },
  {
    name: 'too much of an extended resource',
    pod: asking({ 'example.com/gpu': '2' }),
    refusal:
      "OutOfexample.com/gpu: Node didn't have enough resource: example.com/gpu, requested: 2, used: 0, capacity: 1",
  },
  { name: 'a resource unknown to the node', pod: asking({ 'example.com/x': '2' }), refusal: undefined },
  {
    name: 'overhead counts',
    pod: { ...asking({ cpu: '2' }), spec: { ...asking({ cpu: '2' }).spec, overhead: { cpu: '1m' } } },
    refusal: "OutOfcpu: Node didn't have enough resource: cpu, requested: 2001, used: 0, capacity: 2000",
  },
  {
    name: 'a node selector that does not match',
    pod: pod({ nodeSelector: { disk: 'hdd' } }),
    refusal: "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  },
  { name: 'a node selector that matches', pod: pod({ nodeSelector: { disk: 'ssd' } }), refusal: undefined },
  {
    name: 'a taint NoExecute that is not tolerated',
    pod: pod({}),
    view: { node },
    refusal:
      "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
  },
  {
    name: 'a static pod stays whatever the taints',
    pod: pod({}, { annotations: { 'kubernetes.io/config.source': 'file' } }),
    view: { node },
    refusal: undefined,
  },
  {
    name: 'a host port that is taken',
    pod: pod(port(80)),
    view: { others: [pod(port(81)), pod(port(80))] },
    refusal:
      "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  },
  { name: 'a safe sysctl', pod: pod(sysctl('net/ipv4/tcp_syncookies')), refusal: undefined },
  {
    name: 'an unsafe sysctl',
    pod: pod(sysctl('net.core.somaxconn')),
    refusal: 'SysctlForbidden: forbidden sysctl: "net.core.somaxconn" not allowlisted',
  },
  {
    name: 'an unsafe sysctl that is allowed',
    pod: pod(sysctl('net.core.somaxconn')),
    view: { allowedUnsafeSysctls: ['net.core.*'] },
    refusal: undefined,
  },
  {
    name: 'a sysctl of the network on the host network',
    pod: pod(sysctl('net.ipv4.tcp_syncookies', { hostNetwork: true })),
    refusal: 'SysctlForbidden: forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  },
  {
    name: 'an operating system that is not here',
    pod: pod({ os: { name: 'windows' } }),
    refusal: "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
  },
  {
    name: 'an AppArmor profile',
    pod: pod({ securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'x' } } }),
    refusal: 'AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host',
  },
  {
    name: 'best effort under memory pressure',
    pod: pod({}, { qosClass: 'BestEffort' }),
    view: { pressure: ['MemoryPressure'] },
    refusal: 'Evicted: The node had condition: [MemoryPressure]. ',
  },
  {
    name: 'burstable under memory pressure',
    pod: pod({}, { qosClass: 'Burstable' }),
    view: { pressure: ['MemoryPressure'] },
    refusal: undefined,
  },
  {
    name: 'burstable under disk pressure',
    pod: pod({}, { qosClass: 'Burstable' }),
    view: { pressure: ['DiskPressure'] },
    refusal: 'Evicted: The node had condition: [DiskPressure]. ',
  },
  {
    name: 'a critical pod under disk pressure',
    pod: pod({ priority: 2_000_000_000 }),
    view: { pressure: ['DiskPressure'] },
    refusal: undefined,
  },
  {
    name: 'strict groups on a runtime that cannot keep them',
    pod: pod({ securityContext: { supplementalGroupsPolicy: 'Strict' } }),
    refusal:
      'SupplementalGroupsPolicyNotSupported: SupplementalGroupsPolicy=Strict is not supported in this node',
  },
  {
    name: 'any pod while the node shuts down',
    pod: pod({}),
    view: { shuttingDown: true },
    refusal: 'NodeShutdown: Pod was rejected as the node is shutting down.',
  },
];

describe('what a node says to a pod bound to it', () => {
  it.each(rows)('$name', (row) => {
    const refusal = refusalOf(row.pod, {
      node: untainted,
      others: [],
      allocatable,
      allowedUnsafeSysctls: [],
      pressure: [],
      keepsGroupsStrict: false,
      shuttingDown: false,
      ...row.view,
    });
    expect(refusal && `${refusal.reason}: ${refusal.message}`).toBe(row.refusal);
  });
});
