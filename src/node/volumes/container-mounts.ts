import { mkdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Container, Pod, VolumeMount } from '../../api/core/v1.gen.ts';
import type { ContainerMount } from '../container-runtime.ts';
import { expandVariables } from '../env/expand.ts';
import { isMissing } from '../missing-file.ts';
import { WaitingError } from '../waiting-error.ts';
import type { MountedImage } from './image-volumes.ts';
import type { PodVolumes } from './pod-volumes.ts';

export interface ContainerMountsOptions {
  readonly pod: Pod;
  readonly container: Container;
  readonly volumes: PodVolumes;
  /** Images that are mounted as volumes. */
  /** Lets mounts below a path be seen outside the container that makes them. */
  share(path: string): Promise<void>;
  readonly images: ReadonlyMap<string, MountedImage>;
  /** Whether the runtime can make read-only what is mounted below a mount. */
  readonly recursiveReadOnly: boolean;
  readonly env: ReadonlyMap<string, string>;
  /** Folder that holds `hosts`, `hostname` and `resolv.conf`. */
  readonly etc: string;
  /** The file behind `terminationMessagePath`. */
  readonly terminationLog: string;
}

/** All bind mounts of a container, outer paths first. Throws `WaitingError` `CreateContainerConfigError`. */
export async function containerMounts(options: ContainerMountsOptions): Promise<readonly ContainerMount[]> {
  const { container, etc } = options;
  const mounts = await Promise.all(
    (container.volumeMounts ?? []).map((mount) => volumeMount(mount, options)),
  );
  const taken = new Set(mounts.map((mount) => mount.containerPath));
  const own: readonly ContainerMount[] = [
    { hostPath: join(etc, 'hosts'), containerPath: '/etc/hosts', readOnly: false },
    { hostPath: join(etc, 'hostname'), containerPath: '/etc/hostname', readOnly: false },
    { hostPath: join(etc, 'resolv.conf'), containerPath: '/etc/resolv.conf', readOnly: false },
    {
      hostPath: options.terminationLog,
      containerPath: container.terminationMessagePath ?? '/dev/termination-log',
      readOnly: false,
    },
  ];
  const all = [...mounts, ...own.filter((mount) => !taken.has(mount.containerPath))];
  return outerFirst(all);
}

/** Mounts in an order in which none hides another. */
export function outerFirst(mounts: readonly ContainerMount[]): readonly ContainerMount[] {
  return mounts.toSorted((a, b) => depth(a.containerPath) - depth(b.containerPath));
}

function depth(path: string): number {
  return path.split('/').filter((segment) => segment !== '').length;
}

async function volumeMount(mount: VolumeMount, options: ContainerMountsOptions): Promise<ContainerMount> {
  const { volumes, env, images } = options;
  const image = images.get(mount.name);
  const root = image?.path ?? volumes.pathOf(mount.name);
  if (volumes.isBlock(mount.name))
    throw configError(`volume ${mount.name} has volumeMode Block, but is specified in volumeMounts`);
  if (root === undefined)
    throw configError(
      `cannot find volume "${mount.name}" to mount into container "${options.container.name}"`,
    );
  const subPath =
    mount.subPathExpr === undefined
      ? mount.subPath
      : expandVariables(mount.subPathExpr, (name) => env.get(name));
  const propagation = propagationOf(mount);
  const hostPath =
    subPath === undefined || subPath === ''
      ? root
      : await subPathOf(root, subPath, { volume: mount.name, mayCreate: image === undefined });
  if (propagation !== undefined) await options.share(hostPath);
  return {
    hostPath,
    containerPath: mount.mountPath.length > 1 ? mount.mountPath.replace(/\/+$/, '') : mount.mountPath,
    readOnly: mount.readOnly === true || image !== undefined || volumes.isReadOnly(mount.name),
    ...(image && { noExec: true }),
    ...(isRecursive(mount, options) && { recursive: true }),
    ...(propagation !== undefined && { propagation }),
  };
}

/** Whether a mount is to be read-only all the way down, and can be. Throws where it must be and cannot. */
function isRecursive(mount: VolumeMount, { recursiveReadOnly }: ContainerMountsOptions): boolean {
  if (mount.readOnly !== true) return false;
  if (mount.recursiveReadOnly === 'Enabled' && !recursiveReadOnly)
    throw configError(
      `recursive read-only mount of volume "${mount.name}" was requested, but the container runtime does not support it`,
    );
  return (
    recursiveReadOnly && (mount.recursiveReadOnly === 'Enabled' || mount.recursiveReadOnly === 'IfPossible')
  );
}

function propagationOf(mount: VolumeMount): ContainerMount['propagation'] {
  if (mount.mountPropagation === 'HostToContainer') return 'rslave';
  return mount.mountPropagation === 'Bidirectional' ? 'rshared' : undefined;
}

/** The real path of a sub-path, created as a folder when nothing is there; never outside the volume. */
async function subPathOf(
  root: string,
  subPath: string,
  { volume, mayCreate }: { readonly volume: string; readonly mayCreate: boolean },
): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) {
    throw configError(
      `failed to prepare subPath for volumeMount "${volume}" of container: subPath "${subPath}" must stay inside the volume`,
    );
  }
  const inside = await realpath(root);
  const path = join(root, subPath);
  if (!(await exists(path))) {
    if (!mayCreate)
      throw new WaitingError(
        'CreateContainerError',
        `image_sub_path "${subPath}" of volume "${volume}" does not exist`,
      );
    const mode = (await stat(root)).mode & 0o777;
    await mkdir(path, { recursive: true, mode });
  }
  const real = await realpath(path);
  if (real !== inside && !real.startsWith(inside + sep)) {
    throw configError(
      `failed to prepare subPath for volumeMount "${volume}" of container: subPath "${subPath}" leads out of the volume`,
    );
  }
  return real;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function configError(message: string): WaitingError {
  return new WaitingError('CreateContainerConfigError', message);
}
