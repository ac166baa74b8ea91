import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { RuntimeError, type ContainerSpec, type SandboxSpec } from '../../container-runtime.ts';
import type { Image } from '../../image-service.ts';
import { toolPath } from '../run-command.ts';
import { effectiveCapabilities } from './capabilities.ts';
import type { Cgroups } from './cgroups.ts';
import { applyCdiDevices } from './cdi-edits.ts';
import { grantedDevices, hostDevices, type GrantedDevice } from './host-devices.ts';
import { resolveUser } from './image-user.ts';
import { holdsStdin, type Launcher } from './launcher.ts';
import type { NativeLayout } from './layout.ts';
import { ociConfig, type NamespaceType, type OciConfig } from './oci-config.ts';
import type { Privileges } from './privileges.ts';
import { namespacePaths } from './sandbox-namespaces.ts';
import { defaultSeccompProfile, type SeccompProfile } from './seccomp-profile.ts';

export interface ConfigRequest {
  readonly layout: NativeLayout;
  readonly cgroups: Cgroups;
  readonly launcher: Launcher;
  readonly privileges: Privileges;
  readonly seccompDirectory: string;
  readonly sandboxId: string;
  readonly sandbox: SandboxSpec;
  /** The node's own network namespace, if it has one. */
  readonly nodeNetns?: string;
  /** A process of the namespace that the container's processes share with others. */
  readonly processesPid: number | undefined;
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly image: Image;
}

/** The cgroup of a container and the one that its processes are in. */
export function containerGroups(
  sandboxId: string,
  id: string,
  { cgroups, launcher }: Pick<ConfigRequest, 'cgroups' | 'launcher'>,
): { readonly group: string; readonly leaf: string; readonly oomFile: string } {
  const group = `${sandboxId}/${id}`;
  const ownLeaf = cgroups.mounts.version === 2 || !launcher.joinsCgroup;
  const leaf = ownLeaf ? `${group}/run` : group;
  return { group, leaf, oomFile: cgroups.oomFile(cgroups.mounts.version === 2 ? group : leaf) };
}

/** Everything the launcher must know of a container. */
export async function containerConfig(request: ConfigRequest): Promise<OciConfig> {
  const { layout, cgroups, launcher, sandboxId, sandbox, id, spec, image } = request;
  const { security } = spec;
  const [user, seccomp, all, own] = await Promise.all([
    resolveUser(image.layers, {
      imageUser: image.config.user,
      supplementalGroups: security.supplementalGroups,
      ...(security.supplementalGroupsPolicy && {
        supplementalGroupsPolicy: security.supplementalGroupsPolicy,
      }),
      ...(security.runAsUser === undefined ? {} : { runAsUser: security.runAsUser }),
      ...(security.runAsGroup === undefined ? {} : { runAsGroup: security.runAsGroup }),
    }),
    seccompProfile(spec, request.seccompDirectory),
    security.privileged ? hostDevices() : [],
    ownDevices(spec),
  ]);
  const { leaf } = containerGroups(sandboxId, id, request);
  const namespaces: Partial<Record<NamespaceType, string>> = namespacePaths(
    layout,
    sandboxId,
    sandbox,
    request.nodeNetns,
  );
  if (request.processesPid !== undefined) namespaces.pid = `/proc/${request.processesPid}/ns/pid`;
  const config = ociConfig({
    spec,
    sandbox,
    image,
    user,
    namespaces,
    sharedMemory: sandbox.hostIPC ? '/dev/shm' : join(layout.sharedMemory, sandboxId),
    hostnameFile: join(layout.sandboxes, sandboxId, 'hostname'),
    rootfs: join(layout.containers, id, 'rootfs'),
    hostDevices: all,
    devices: own,
    privileges: request.privileges,
    ...(seccomp ? { seccomp } : {}),
    ...(launcher.joinsCgroup ? {} : { cgroupsPath: join(cgroups.root, leaf) }),
  });
  return spec.cdi ? applyCdiDevices(config, spec.cdi, launcher) : config;
}

/** The devices that a container asks for. */
async function ownDevices({ devices = [] }: ContainerSpec): Promise<readonly GrantedDevice[]> {
  return (await Promise.all(devices.map(grantedDevices))).flat();
}

async function seccompProfile(spec: ContainerSpec, directory: string): Promise<SeccompProfile | undefined> {
  const { seccomp } = spec.security;
  if (seccomp.type === 'Unconfined' || spec.security.privileged) return undefined;
  if (seccomp.type === 'RuntimeDefault') {
    return defaultSeccompProfile(effectiveCapabilities(spec.security), process.arch);
  }
  const name = seccomp.localhostProfile ?? '';
  const path = isAbsolute(name) ? name : join(directory, name);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as SeccompProfile;
  } catch (cause) {
    throw new RuntimeError('START_FAILED', `cannot load seccomp profile "${path}": ${String(cause)}`, {
      cause,
    });
  }
}

/** The folders below a container's own, the lowest first; an image may have none. */
export async function lowerLayers(
  layout: NativeLayout,
  id: string,
  layers: readonly string[],
): Promise<readonly string[]> {
  if (layers.length > 0) return layers;
  const empty = join(layout.containers, id, 'empty');
  await mkdir(empty, { recursive: true });
  return [empty];
}

/** Overlay options for the image's layers and the container's own; paths are relative to the state directory. */
export async function overlayOptions(
  layout: NativeLayout,
  id: string,
  layers: readonly string[],
): Promise<string> {
  const lower = await lowerLayers(layout, id, layers);
  const links = await Promise.all(
    lower.map(async (layer) => {
      const name = createHash('sha256').update(layer).digest('hex').slice(0, 12);
      await symlink(layer, join(layout.layers, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      return `l/${name}`;
    }),
  );
  return `lowerdir=${links.toReversed().join(':')},upperdir=containers/${id}/upper,workdir=containers/${id}/work`;
}

export interface ShimRequest {
  readonly layout: NativeLayout;
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly command: readonly string[];
  readonly overlay: string;
  readonly joinFiles: readonly string[];
  readonly oomFile: string;
  readonly oomScoreAdj?: number;
  /** Mounts of a user namespace never reach the machine's. */
  readonly ownUsers: boolean;
  readonly launcher: Launcher;
}

/** Starts a container's wrapper in a session of its own, so that neither the agent's end nor its terminal's ends it. */
export function startShim(request: ShimRequest): ChildProcess {
  const { layout, launcher } = request;
  const shared =
    !request.ownUsers && request.spec.mounts.some(({ propagation }) => propagation === 'rshared');
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--propagation',
      shared ? 'unchanged' : 'slave',
      '/bin/sh',
      layout.shimScript,
      request.id,
      ...request.command,
    ],
    {
      detached: true,
      stdio: 'ignore',
      cwd: '/',
      env: {
        PATH: toolPath,
        SHELL: '/bin/sh',
        LIBMOUNT_FORCE_MOUNT2: 'always',
        KANOE_STATE: layout.directory,
        KANOE_RUN: layout.runDirectory,
        KANOE_OVERLAY: request.overlay,
        KANOE_JOIN: request.joinFiles.join(' '),
        KANOE_OOM: request.oomFile,
        KANOE_OOM_SCORE: String(request.oomScoreAdj ?? ''),
        KANOE_HIDE: launcher.hiddenMount ?? '',
        KANOE_DELETE: launcher.deleteProgram ?? '',
        KANOE_STDIN: holdsStdin(request.spec) ? 'open' : '',
      },
    },
  );
  child.unref();
  return child;
}
