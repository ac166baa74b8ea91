import type { KubeObject, ResourceType } from '../../../machinery/object.ts';
import { KWOK_GROUP, KWOK_VERSION } from './stage.ts';

/** Which pods a cluster-wide resource is about; without names or namespaces, all. */
export interface PodSelection {
  readonly matchNamespaces?: readonly string[];
  readonly matchNames?: readonly string[];
}

/** What concerns the containers of one pod, of its own name, or those of a selection. */
interface ForPods extends KubeObject {
  readonly spec: { readonly selector?: PodSelection };
}

/** Without containers it is for all that no other entry names. */
export interface ForContainers {
  readonly containers?: readonly string[];
}

export interface LogsEntry extends ForContainers {
  /** On the machine that simulates, in the format of container runtimes. */
  readonly logsFile?: string;
  readonly previousLogsFile?: string;
  readonly follow?: boolean;
}

export interface AttachEntry extends ForContainers {
  readonly logsFile?: string;
}

export interface ExecEntry extends ForContainers {
  readonly local?: {
    readonly workDir?: string;
    readonly envs?: readonly { readonly name: string; readonly value?: string }[];
    readonly securityContext?: { readonly runAsUser?: number; readonly runAsGroup?: number };
  };
}

export interface ForwardEntry {
  /** Without ports it is for all that no other entry names. */
  readonly ports?: readonly number[];
  /** A command whose standard streams are the connection. */
  readonly command?: readonly string[];
  readonly target?: { readonly port: number; readonly address: string };
}

export interface UsageEntry extends ForContainers {
  readonly usage?: Readonly<
    Record<string, { readonly value?: string | number; readonly expression?: string }>
  >;
}

export interface PodLogsResource extends ForPods {
  readonly spec: ForPods['spec'] & { readonly logs?: readonly LogsEntry[] };
}
export interface PodAttachResource extends ForPods {
  readonly spec: ForPods['spec'] & { readonly attaches?: readonly AttachEntry[] };
}
export interface PodExecResource extends ForPods {
  readonly spec: ForPods['spec'] & { readonly execs?: readonly ExecEntry[] };
}
export interface PodForwardResource extends ForPods {
  readonly spec: ForPods['spec'] & { readonly forwards?: readonly ForwardEntry[] };
}
export interface PodUsageResource extends ForPods {
  readonly spec: ForPods['spec'] & { readonly usages?: readonly UsageEntry[] };
}

export interface MetricResource extends KubeObject {
  readonly spec: { readonly path: string; readonly metrics?: readonly MetricEntry[] };
}

export interface MetricEntry {
  readonly name: string;
  readonly help?: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly dimension?: 'node' | 'pod' | 'container';
  readonly labels?: readonly { readonly name: string; readonly value: string }[];
  readonly value?: string;
  readonly buckets?: readonly { readonly le: number; readonly value: string; readonly hidden?: boolean }[];
}

function kwokType<T>(kind: string, resource: string, namespaced: boolean): ResourceType<T> {
  return {
    group: KWOK_GROUP,
    version: KWOK_VERSION,
    resource,
    kind,
    namespaced,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
  };
}

export const podLogsResources: readonly ResourceType<PodLogsResource>[] = [
  kwokType('Logs', 'logs', true),
  kwokType('ClusterLogs', 'clusterlogs', false),
];
export const podAttachResources: readonly ResourceType<PodAttachResource>[] = [
  kwokType('Attach', 'attaches', true),
  kwokType('ClusterAttach', 'clusterattaches', false),
];
export const podExecResources: readonly ResourceType<PodExecResource>[] = [
  kwokType('Exec', 'execs', true),
  kwokType('ClusterExec', 'clusterexecs', false),
];
export const podForwardResources: readonly ResourceType<PodForwardResource>[] = [
  kwokType('PortForward', 'portforwards', true),
  kwokType('ClusterPortForward', 'clusterportforwards', false),
];
export const podUsageResources: readonly ResourceType<PodUsageResource>[] = [
  kwokType('ResourceUsage', 'resourceusages', true),
  kwokType('ClusterResourceUsage', 'clusterresourceusages', false),
];
export const metricResources: ResourceType<MetricResource> = kwokType('Metric', 'metrics', false);
