import type { ContainerMount, ContainerSpec, SandboxSpec } from '../../container-runtime.ts';
import type { Image } from '../../image-service.ts';
import { commandLine, containerEnvironment } from '../container-command.ts';
import { maskedPaths, readonlyPaths } from '../hidden-paths.ts';
import { effectiveCapabilities } from './capabilities.ts';
import type { GrantedDevice } from './host-devices.ts';
import type { ContainerUser } from './image-user.ts';
import type { Privileges } from './privileges.ts';
import type { SeccompProfile } from './seccomp-profile.ts';

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciDevice {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export type NamespaceType = 'pid' | 'network' | 'ipc' | 'uts' | 'mount' | 'cgroup' | 'user';

interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface DeviceRule {
  readonly allow: boolean;
  readonly access: string;
  readonly type?: 'c' | 'b';
  readonly major?: number;
  readonly minor?: number;
}

export interface OciHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly timeout?: number;
}

/** The part of the OCI runtime specification's `config.json` that is used here. */
export interface OciConfig {
  readonly ociVersion: string;
  readonly process: {
    readonly terminal: boolean;
    readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly capabilities: {
      readonly bounding: readonly string[];
      readonly effective: readonly string[];
      readonly permitted: readonly string[];
    };
    readonly noNewPrivileges: boolean;
    readonly oomScoreAdj?: number;
  };
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly mounts: readonly OciMount[];
  /** By when they run: `createRuntime` … */
  readonly hooks?: Readonly<Record<string, readonly OciHook[]>>;
  readonly linux: {
    readonly namespaces: readonly { readonly type: NamespaceType; readonly path?: string }[];
    readonly uidMappings?: readonly IdMapping[];
    readonly gidMappings?: readonly IdMapping[];
    readonly devices: readonly OciDevice[];
    readonly resources: {
      readonly devices: readonly DeviceRule[];
      readonly memory?: { readonly limit: number; readonly swap?: number };
    };
    readonly cgroupsPath?: string;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly rootfsPropagation: string;
    readonly seccomp?: SeccompProfile;
  };
}

export interface OciConfigInput {
  readonly spec: ContainerSpec;
  readonly sandbox: SandboxSpec;
  readonly image: Image;
  readonly user: ContainerUser;
  readonly namespaces: Readonly<Partial<Record<NamespaceType, string>>>;
  readonly sharedMemory: string;
  /** A file with the sandbox's host name. */
  readonly hostnameFile: string;
  readonly rootfs: string;
  readonly seccomp?: SeccompProfile;
  readonly hostDevices: readonly OciDevice[];
  /** Those that the container asks for. */
  readonly devices: readonly GrantedDevice[];
  readonly cgroupsPath?: string;
  /** What this process may give away. */
  readonly privileges: Privileges;
}

/** The OCI configuration of a container, as containerd's CRI plug-in would make it. */
export function ociConfig(input: OciConfigInput): OciConfig {
  const { spec, image, user } = input;
  const { security, resources } = spec;
  const openProc = security.privileged || security.procMount === 'Unmasked';
  const capabilities = input.privileges.limit(effectiveCapabilities(security));
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: spec.tty,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: commandLine(spec, image),
      env: [...containerEnvironment(input)].map(([name, value]) => `${name}=${value}`),
      cwd: spec.workingDir || image.config.workingDir || '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: !security.allowPrivilegeEscalation && !security.privileged,
      ...(resources.oomScoreAdj === undefined
        ? {}
        : { oomScoreAdj: Math.max(resources.oomScoreAdj, input.privileges.lowestOomScoreAdj) }),
    },
    root: { path: input.rootfs, readonly: security.readOnlyRootFilesystem },
    mounts: [...systemMounts(input), ...volumeMounts(spec)],
    linux: {
      namespaces: namespaceList(input),
      devices: [
        ...(security.privileged ? input.hostDevices : []),
        ...input.devices.map(({ device }) => device),
      ],
      resources: {
        devices: [{ allow: security.privileged, access: 'rwm' }, ...input.devices.map(deviceRule)],
        ...(resources.memoryLimitBytes === undefined
          ? {}
          : { memory: { limit: resources.memoryLimitBytes } }),
      },
      ...(input.cgroupsPath === undefined ? {} : { cgroupsPath: input.cgroupsPath }),
      maskedPaths: openProc ? [] : maskedPaths,
      readonlyPaths: openProc ? [] : readonlyPaths,
      rootfsPropagation: rootPropagation(spec),
      ...(input.seccomp && !security.privileged ? { seccomp: input.seccomp } : {}),
    },
  };
}

/** What lets a container use a device. */
export function deviceRule({ device: { type, major, minor }, access }: GrantedDevice): DeviceRule {
  return { allow: true, access, type, major, minor };
}

function systemMounts({ spec, sharedMemory, hostnameFile, privileges }: OciConfigInput): readonly OciMount[] {
  const access = spec.security.privileged ? 'rw' : 'ro';
  const taken = new Set(spec.mounts.map((mount) => mount.containerPath));
  const mounts: readonly OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        ...(privileges.hasGroup(5) ? ['gid=5'] : []),
      ],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev/shm', type: 'bind', source: sharedMemory, options: ['rbind', 'rw'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', access],
    },
    {
      destination: '/etc/hostname',
      type: 'bind',
      source: hostnameFile,
      options: ['rbind', 'rprivate', 'rw'],
    },
  ];
  return mounts.filter((mount) => !taken.has(mount.destination));
}

/** Volumes, outer paths before those inside them. */
function volumeMounts(spec: ContainerSpec): readonly OciMount[] {
  const depth = (path: string): number => path.split('/').filter(Boolean).length;
  return [...spec.mounts]
    .sort((a, b) => depth(a.containerPath) - depth(b.containerPath))
    .map((mount) => ({
      destination: mount.containerPath,
      type: 'bind',
      source: mount.hostPath,
      options: [
        'rbind',
        mount.propagation === undefined || mount.propagation === 'private' ? 'rprivate' : mount.propagation,
        readOnlyOption(mount),
        ...(mount.noExec === true ? ['noexec'] : []),
      ],
    }));
}

function readOnlyOption({ readOnly, recursive }: ContainerMount): string {
  if (!readOnly) return 'rw';
  return recursive === true ? 'rro' : 'ro';
}

function rootPropagation(spec: ContainerSpec): string {
  const wanted = new Set(spec.mounts.map((mount) => mount.propagation));
  if (wanted.has('rshared')) return 'rshared';
  return wanted.has('rslave') ? 'rslave' : 'rprivate';
}

function namespaceList({ sandbox, namespaces }: OciConfigInput): OciConfig['linux']['namespaces'] {
  const joined = Object.entries(namespaces).map(([type, path]) => ({ type: type as NamespaceType, path }));
  const ownPid = !sandbox.hostPID && namespaces.pid === undefined;
  return [{ type: 'mount' }, { type: 'cgroup' }, ...(ownPid ? [{ type: 'pid' } as const] : []), ...joined];
}
