import type { Container, VolumeMountStatus } from '../api/core/v1.gen.ts';
import type { ContainerMount } from './container-runtime.ts';
import type { MountedImage } from './volumes/image-volumes.ts';

/** Annotations of a runtime container: what its status says of its mounts, when no agent remembers. */
const RECURSIVE_MOUNTS = 'kanoe.io/recursive-read-only-mounts';
const IMAGE_VOLUMES = 'kanoe.io/image-volumes';

/** What has to be remembered of a container's mounts. */
export function mountAnnotations(
  mounts: readonly ContainerMount[],
  images: ReadonlyMap<string, MountedImage>,
): Readonly<Record<string, string>> {
  const recursive = mounts.filter((mount) => mount.recursive).map(({ containerPath }) => containerPath);
  const references = Object.fromEntries(
    [...images].map(([name, { imageRef, id }]) => [name, { imageRef, id }]),
  );
  return {
    ...(recursive.length > 0 && { [RECURSIVE_MOUNTS]: JSON.stringify(recursive) }),
    ...(images.size > 0 && { [IMAGE_VOLUMES]: JSON.stringify(references) }),
  };
}

/** `volumeMounts` of a container's status; `annotations` are its newest attempt's. */
export function mountStatuses(
  { volumeMounts = [] }: Container,
  annotations: Readonly<Record<string, string>> = {},
): readonly VolumeMountStatus[] {
  const recursive = JSON.parse(annotations[RECURSIVE_MOUNTS] ?? '[]') as readonly string[];
  const images = imagesOf(annotations);
  return volumeMounts.map(({ name, mountPath, readOnly }) => {
    const imageRef = images[name]?.imageRef;
    return {
      name,
      mountPath,
      ...(readOnly === true && {
        readOnly,
        recursiveReadOnly: recursive.includes(mountPath) ? 'Enabled' : 'Disabled',
      }),
      ...(imageRef !== undefined && { volumeStatus: { image: { imageRef } } }),
    };
  });
}

/** Ids of the images that a runtime container has mounted as volumes. */
export function volumeImageIds(annotations: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(imagesOf(annotations)).map(({ id }) => id);
}

function imagesOf(
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, Pick<MountedImage, 'imageRef' | 'id'>>> {
  return JSON.parse(annotations[IMAGE_VOLUMES] ?? '{}') as Readonly<
    Record<string, Pick<MountedImage, 'imageRef' | 'id'>>
  >;
}
