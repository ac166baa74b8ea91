import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod } from '../../api/core/v1.gen.ts';
import { RuntimeError } from '../container-runtime.ts';
import type { Image } from '../image-service.ts';
import type { PodDirectories } from '../pod-directories.ts';
import { runCommand } from '../runtimes/run-command.ts';
import { WaitingError } from '../waiting-error.ts';
import { mountPoints } from './tmpfs.ts';

/** An image whose files a container sees as a volume. */
export interface MountedImage {
  readonly path: string;
  /** The image's. */
  readonly id: string;
  /** As `volumeMounts[].volumeStatus.image.imageRef` shows it. */
  readonly imageRef: string;
}

/**
 * Mounts the images that a container's volumes name, read-only and without executing anything in them, each once in the pod;
 * by volume name. Throws `WaitingError`: an image is pulled by the policy of its volume, as that of a container is.
 */
export async function mountImageVolumes(options: {
  readonly pod: Pod;
  readonly container: Container;
  readonly directories: PodDirectories;
  /** The image of a container of the pod, pulled when its policy asks for it. */
  ensure(container: Container): Promise<Image>;
}): Promise<ReadonlyMap<string, MountedImage>> {
  const { pod, container, directories, ensure } = options;
  const used = new Set(container.volumeMounts?.map(({ name }) => name));
  const mounted = new Map<string, MountedImage>();
  for (const { name, image: source } of pod.spec?.volumes ?? []) {
    if (!source || !used.has(name)) continue;
    const image = await ensure({
      name: container.name,
      image: source.reference ?? '',
      ...(source.pullPolicy && { imagePullPolicy: source.pullPolicy }),
    });
    const path = await mountImage(join(directories.volumes, 'kubernetes.io~image', name), image);
    mounted.set(name, { path, id: image.id, imageRef: image.digests[0] ?? image.id });
  }
  return mounted;
}

async function mountImage(folder: string, { layers, tags }: Image): Promise<string> {
  const path = join(folder, 'mount');
  if ((await mountPoints(path)).includes(path)) return path;
  if (layers.length === 0)
    throw new WaitingError(
      'CreateContainerError',
      `image volumes are not supported here: the container runtime keeps ${tags[0] ?? 'its images'} to itself`,
    );
  await mkdir(path, { recursive: true });
  // Short names, because the kernel takes a page of options; an overlay needs two folders at least.
  await mkdir(join(folder, 'empty'), { recursive: true });
  for (const [position, layer] of layers.entries()) {
    await rm(join(folder, String(position)), { force: true });
    await symlink(layer, join(folder, String(position)));
  }
  const lower = [...layers.keys()].toReversed().join(':');
  try {
    await runCommand('sh', [
      '-c',
      'cd "$0" && exec mount -t overlay -o "ro,noexec,lowerdir=$1:empty" overlay mount',
      folder,
      lower,
    ]);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const message = `image volumes are not supported here: ${error.message}`;
    throw new WaitingError('CreateContainerError', message, { cause: error });
  }
  return path;
}
