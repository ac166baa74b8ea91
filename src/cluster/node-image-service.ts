import { ImageError } from '../node/image-service.ts';
import type { ImageService } from '../node/image-service.ts';
import type { StoreImageService } from '../oci/image-service.ts';
import { OciError } from '../oci/oci-error.ts';

/** The image store as node agents know it: same methods, the node's own errors. */
export function nodeImageService(images: StoreImageService): ImageService {
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof OciError) throw new ImageError(error.code, error.message, { cause: error });
      throw refusedBySystem(error) ?? error;
    }
  };
  return {
    resolve: (reference) => translated(images.resolve(reference)),
    pull: (reference, options) => translated(images.pull(reference, options)),
    get: (id) => translated(images.get(id)),
    list: () => translated(images.list()),
    remove: (id) => translated(images.remove(id)),
  };
}

/** A disk that is full or does not let us write is a reason why an image cannot be had, not a fault of the program. */
function refusedBySystem(error: unknown): ImageError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return new ImageError(full ? 'NO_SPACE' : 'UNAVAILABLE', error.message, { cause: error });
}
