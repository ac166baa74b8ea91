import { join } from 'node:path';
import type {
  ContainerResources,
  ContainerSecurity,
  ContainerSpec,
  SandboxSpec,
} from '../../container-runtime.ts';
import type { Image } from '../../image-service.ts';
import { maskedPaths, readonlyPaths } from '../hidden-paths.ts';
import type {
  ContainerConfig,
  MountConfig,
  Namespaces,
  Resources,
  SandboxConfig,
  SecurityProfile,
} from './messages.ts';

/** Which sandboxes and containers of a runtime are a node's. */
export interface Ownership {
  readonly clusterId: string;
  readonly nodeName: string;
}

/** Annotations that keep what CRI has no field for. */
export const kept = {
  /** On a sandbox: its specification. */
  sandbox: 'kanoe.io/sandbox',
  /** On a container. */
  sandboxId: 'kanoe.io/sandbox-id',
  image: 'kanoe.io/image',
  imageId: 'kanoe.io/image-id',
  stopSignal: 'kanoe.io/stop-signal',
} as const;

const podLabels = {
  name: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  uid: 'io.kubernetes.pod.uid',
} as const;

/** The label of a container or sandbox that says which pod it belongs to. */
export const podUidLabel: string = podLabels.uid;

/** Labels that all of a node's sandboxes and containers carry, and no others. */
export function ownLabels({ clusterId, nodeName }: Ownership): Readonly<Record<string, string>> {
  return { 'kanoe.io/cluster': clusterId, 'kanoe.io/node': nodeName };
}

export interface SandboxInput {
  readonly spec: SandboxSpec;
  readonly owner: Ownership;
  readonly cgroupParent: string;
  /** Whether a container of the sandbox may be privileged. */
  readonly privileged: boolean;
}

/** A sandbox as CRI wants it. Log paths are relative to the root folder. */
export function sandboxConfig({ spec, owner, cgroupParent, privileged }: SandboxInput): SandboxConfig {
  return {
    metadata: {
      name: spec.podName,
      uid: spec.podUid,
      namespace: spec.podNamespace,
      attempt: spec.attempt,
    },
    hostname: spec.hostNetwork ? '' : spec.hostname,
    log_directory: '/',
    labels: { ...spec.labels, ...podLabelsOf(spec), ...ownLabels(owner) },
    annotations: { ...spec.annotations, [kept.sandbox]: JSON.stringify(spec) },
    linux: {
      cgroup_parent: cgroupParent,
      security_context: {
        namespace_options: namespacesOf(spec),
        privileged,
        seccomp: { profile_type: 'RuntimeDefault' },
      },
      sysctls: spec.sysctls,
      resources: resourcesOf(spec.resources),
    },
  };
}

function podLabelsOf(spec: SandboxSpec): Readonly<Record<string, string>> {
  return {
    [podLabels.name]: spec.podName,
    [podLabels.namespace]: spec.podNamespace,
    [podLabels.uid]: spec.podUid,
  };
}

function namespacesOf(spec: SandboxSpec): Namespaces {
  const pid = spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER';
  return { network: spec.hostNetwork ? 'NODE' : 'POD', pid, ipc: spec.hostIPC ? 'NODE' : 'POD' };
}

export interface ContainerInput {
  readonly sandboxId: string;
  readonly sandbox: SandboxSpec;
  readonly spec: ContainerSpec;
  readonly image: Image;
  readonly owner: Ownership;
  /** Where `Localhost` seccomp profiles are. */
  readonly seccompDirectory: string;
}

/** A container as CRI wants it. */
export function containerConfig(input: ContainerInput): ContainerConfig {
  const { spec, sandbox, owner } = input;
  const { security } = spec;
  const open = security.privileged || security.procMount === 'Unmasked';
  const namespaces = namespacesOf(sandbox);
  return {
    metadata: { name: spec.name, attempt: spec.attempt },
    image: { image: spec.imageId },
    command: spec.command,
    args: spec.args,
    working_dir: spec.workingDir ?? '',
    envs: spec.env.map(({ name, value }) => ({ key: name, value })),
    mounts: spec.mounts.map(mountOf),
    devices: (spec.devices ?? []).map(({ hostPath, containerPath, permissions }) => ({
      container_path: containerPath,
      host_path: hostPath,
      permissions: permissions ?? 'rwm',
    })),
    CDI_devices: (spec.cdi?.names ?? []).map((name) => ({ name })),
    labels: { ...spec.labels, ...podLabelsOf(sandbox), ...ownLabels(owner) },
    annotations: {
      ...spec.annotations,
      [kept.sandboxId]: input.sandboxId,
      [kept.image]: spec.image,
      [kept.imageId]: spec.imageId,
      ...(spec.stopSignal !== undefined && { [kept.stopSignal]: spec.stopSignal }),
    },
    log_path: spec.logPath.replace(/^\/+/, ''),
    stdin: spec.stdin,
    stdin_once: spec.stdinOnce,
    tty: spec.tty,
    linux: {
      resources: resourcesOf(spec.resources),
      security_context: {
        capabilities: {
          add_capabilities: security.addCapabilities,
          drop_capabilities: security.dropCapabilities,
        },
        privileged: security.privileged,
        namespace_options:
          spec.processesOf === undefined
            ? namespaces
            : { ...namespaces, pid: 'TARGET', target_id: spec.processesOf },
        ...userOf(security, input.image),
        readonly_rootfs: security.readOnlyRootFilesystem,
        supplemental_groups: security.supplementalGroups,
        supplemental_groups_policy: security.supplementalGroupsPolicy ?? 'Merge',
        no_new_privs: !security.allowPrivilegeEscalation && !security.privileged,
        masked_paths: open ? [] : maskedPaths,
        readonly_paths: open ? [] : readonlyPaths,
        seccomp: seccompOf(security, input.seccompDirectory),
      },
    },
  };
}

/** A runtime refuses a group without a user: it is then the image's. */
function userOf(
  { runAsUser, runAsGroup }: ContainerSecurity,
  image: Image,
): Partial<ContainerConfig['linux']['security_context']> {
  const group = runAsGroup === undefined ? {} : { run_as_group: { value: runAsGroup } };
  if (runAsUser !== undefined) return { run_as_user: { value: runAsUser }, ...group };
  const [own = ''] = image.config.user.split(':');
  if (own === '') return runAsGroup === undefined ? {} : { run_as_user: { value: 0 }, ...group };
  if (runAsGroup === undefined) return {};
  return /^\d+$/.test(own)
    ? { run_as_user: { value: Number(own) }, ...group }
    : { run_as_username: own, ...group };
}

const propagations = {
  private: 'PROPAGATION_PRIVATE',
  rslave: 'PROPAGATION_HOST_TO_CONTAINER',
  rshared: 'PROPAGATION_BIDIRECTIONAL',
} as const;

function mountOf(mount: ContainerSpec['mounts'][number]): MountConfig {
  return {
    container_path: mount.containerPath,
    host_path: mount.hostPath,
    readonly: mount.readOnly,
    propagation: propagations[mount.propagation ?? 'private'],
    recursive_read_only: mount.readOnly && mount.recursive === true,
  };
}

function seccompOf({ seccomp }: ContainerSecurity, directory: string): SecurityProfile {
  if (seccomp.type !== 'Localhost') return { profile_type: seccomp.type };
  const profile = seccomp.localhostProfile ?? '';
  return {
    profile_type: 'Localhost',
    localhost_ref: profile.startsWith('/') ? profile : join(directory, profile),
  };
}

/** Limits as CRI wants them; what is not asked for stays as the runtime has it. */
export function resourcesOf(resources: ContainerResources): Resources {
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimitBytes, oomScoreAdj } = resources;
  return {
    ...(cpuShares !== undefined && { cpu_shares: cpuShares }),
    ...(cpuQuota !== undefined && { cpu_quota: cpuQuota, cpu_period: cpuPeriod ?? 100_000 }),
    ...(memoryLimitBytes !== undefined && { memory_limit_in_bytes: memoryLimitBytes }),
    ...(oomScoreAdj !== undefined && { oom_score_adj: oomScoreAdj }),
  };
}
