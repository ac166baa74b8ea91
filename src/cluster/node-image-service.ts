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
      throw error instanceof OciError ? new ImageError(error.code, error.message, { cause: error }) : error;
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
