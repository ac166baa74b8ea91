import { readFile, statfs } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { timestamp, type Clock } from '../base/clock.ts';
import type {
  ContainerImage,
  NodeAddress,
  NodeCondition,
  NodeRuntimeHandler,
  NodeStatus,
  NodeSystemInfo,
} from '../api/core/v1.gen.ts';
import type { Pressure } from './eviction/plan-eviction.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import type { ImageService } from './image-service.ts';
import { isMissing } from './missing-file.ts';
import { allocatableOf, type NodeSettings } from './settings/node-settings.ts';

/** What a node has, and how much of it pods may have. */
export interface NodeCapacity {
  readonly allocatable: Readonly<Record<string, string>>;
  /** By resource name: `cpu`, `memory`, `ephemeral-storage`, `pods`. */
  readonly capacity: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
}

export interface NodeStatusInput {
  readonly clock: Clock;
  readonly capacity: NodeCapacity;
  readonly addresses: readonly NodeAddress[];
  readonly info: NodeSystemInfo;
  readonly images: ImageService;
  readonly kubeletPort: number;
  /** Why pods cannot start; undefined when they can. */
  readonly problem: string | undefined;
  /** Conditions of pressure that hold. */
  readonly pressure: readonly Pressure[];
  readonly runtime: Pick<
    ContainerRuntime,
    'keepsGroupsStrict' | 'recursiveReadOnlyMounts' | 'withoutUserNamespaces'
  >;
  readonly previous: readonly NodeCondition[];
  /** Volumes of the node that must stay attached to it. */
  readonly volumesInUse: readonly string[];
}

/** The machine's capacity; `directory` is where ephemeral storage is. `override` wins by resource name. */
export async function nodeCapacity(
  directory: string,
  settings: NodeSettings,
  override: Readonly<Record<string, string>> = {},
): Promise<NodeCapacity> {
  const { blocks, bsize } = await statfs(directory);
  const memoryBytes = totalmem();
  const capacity = {
    cpu: String(cpus().length),
    'ephemeral-storage': `${Math.floor((blocks * bsize) / 1024)}Ki`,
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    pods: String(settings.maxPods),
    ...override,
  };
  return { memoryBytes, capacity, allocatable: allocatableOf(capacity, settings) };
}

/** The capacity with the resources of device plug-ins. */
export function withDevices(
  capacity: NodeCapacity,
  devices: { capacity(): Readonly<Record<string, string>>; allocatable(): Readonly<Record<string, string>> },
): NodeCapacity {
  return {
    ...capacity,
    capacity: { ...capacity.capacity, ...devices.capacity() },
    allocatable: { ...capacity.allocatable, ...devices.allocatable() },
  };
}

/** `node.status.nodeInfo` of this machine. */
export async function nodeSystemInfo(runtime: string, kubeletVersion: string): Promise<NodeSystemInfo> {
  const [machineID, systemUUID, bootID, osRelease] = await Promise.all([
    firstLine('/etc/machine-id'),
    firstLine('/sys/class/dmi/id/product_uuid'),
    firstLine('/proc/sys/kernel/random/boot_id'),
    contents('/etc/os-release'),
  ]);
  return {
    architecture: goArchitecture(),
    bootID,
    containerRuntimeVersion: runtime,
    kernelVersion: release(),
    kubeProxyVersion: '',
    kubeletVersion,
    machineID,
    operatingSystem: goOperatingSystem(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? platform(),
    systemUUID: systemUUID === '' ? machineID : systemUUID,
  };
}

/** `amd64`, `arm64` …, as Go names them. */
export function goArchitecture(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return names[arch()] ?? arch();
}

/** `linux`, `darwin`, `windows`. */
export function goOperatingSystem(): string {
  return platform() === 'win32' ? 'windows' : platform();
}

/** The node's status now; condition times move only with a change, heartbeats always. */
export async function nodeStatus(input: NodeStatusInput): Promise<NodeStatus> {
  return {
    addresses: input.addresses,
    capacity: input.capacity.capacity,
    allocatable: input.capacity.allocatable,
    conditions: conditionsOf(input),
    daemonEndpoints: { kubeletEndpoint: { Port: input.kubeletPort } },
    nodeInfo: input.info,
    // A runtime that is away cannot tell its images.
    ...(input.problem === undefined && { images: await imagesOf(input.images) }),
    features: { supplementalGroupsPolicy: input.runtime.keepsGroupsStrict === true },
    runtimeHandlers: [usualHandler(input.runtime)],
    volumesInUse: input.volumesInUse,
  };
}

/** What pods without a RuntimeClass can ask of the runtime. */
function usualHandler(runtime: NodeStatusInput['runtime']): NodeRuntimeHandler {
  const userNamespaces =
    runtime.withoutUserNamespaces !== undefined && runtime.withoutUserNamespaces(undefined) === undefined;
  return {
    name: '',
    features: { recursiveReadOnlyMounts: runtime.recursiveReadOnlyMounts === true, userNamespaces },
  };
}

const PRESSURES: readonly {
  readonly type: Pressure;
  readonly low: readonly [reason: string, message: string];
  readonly enough: readonly [reason: string, message: string];
}[] = [
  {
    type: 'MemoryPressure',
    low: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    enough: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  },
  {
    type: 'DiskPressure',
    low: ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
    enough: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  },
  {
    type: 'PIDPressure',
    low: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    enough: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  },
];

function conditionsOf(input: NodeStatusInput): readonly NodeCondition[] {
  const now = timestamp(input.clock.now());
  const { problem } = input;
  const findings: readonly Omit<NodeCondition, 'lastHeartbeatTime' | 'lastTransitionTime'>[] = [
    ...PRESSURES.map(({ type, low, enough }) => {
      const holds = input.pressure.includes(type);
      const [reason, message] = holds ? low : enough;
      return { type, status: holds ? ('True' as const) : ('False' as const), reason, message };
    }),
    problem === undefined
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: problem },
  ];
  return findings.map((finding) => {
    const before = input.previous.find((condition) => condition.type === finding.type);
    const kept = before?.status === finding.status ? before.lastTransitionTime : undefined;
    return { ...finding, lastHeartbeatTime: now, lastTransitionTime: kept ?? now };
  });
}

/** The fifty largest images, as the kubelet reports them. */
async function imagesOf(images: ImageService): Promise<readonly ContainerImage[]> {
  const all = [...(await images.list())].sort((a, b) => b.sizeBytes - a.sizeBytes).slice(0, 50);
  return all.map((image) => ({ names: [...image.digests, ...image.tags], sizeBytes: image.sizeBytes }));
}

async function firstLine(path: string): Promise<string> {
  return (await contents(path)).split('\n')[0] ?? '';
}

async function contents(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && 'code' in error && error.code === 'EACCES')) return '';
    throw error;
  }
}
