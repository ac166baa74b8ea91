import type { Duplex } from 'node:stream';
import { rm } from 'node:fs/promises';
import { openArchive } from './archive.ts';
import { createDistribution } from './distribution.ts';
import type { Credentials } from './distribution.ts';
import type { ImageStore, StoredImage } from './image-store.ts';
import { ensureNodeImage, isNodeImage, nodeImageTags } from './node-image.ts';
import { OciError } from './oci-error.ts';
import { canonicalName, parseReference } from './reference.ts';

export interface PullOptions {
  readonly credentials: readonly Credentials[];
  readonly signal?: AbortSignal;
}

/** Images as a node sees them: what is here, what can be pulled, and `kanoe.local/node`, which is made on first use. */
export interface StoreImageService {
  resolve(reference: string): Promise<StoredImage | undefined>;
  pull(reference: string, options: PullOptions): Promise<StoredImage>;
  get(imageId: string): Promise<StoredImage | undefined>;
  list(): Promise<readonly StoredImage[]>;
  remove(imageId: string): Promise<void>;
}

export interface ImageServiceOptions {
  readonly store: ImageStore;
  /** Where the files of `kanoe.local/node` go. */
  readonly nodeImageDirectory: string;
  /** Registry host → base URL; `*` stands for every other host. */
  readonly mirrors: ReadonlyMap<string, string>;
  /** How registries are connected to; default: directly. */
  readonly connect?: (url: URL) => Duplex;
}

/** Builds the image service of one machine over its store. */
export function createImageService({
  store,
  nodeImageDirectory,
  mirrors,
  connect,
}: ImageServiceOptions): StoreImageService {
  const pulling = new Map<string, Promise<StoredImage>>();
  let making: Promise<StoredImage> | undefined;

  function nodeImage(): Promise<StoredImage> {
    making ??= ensureNodeImage(store, nodeImageDirectory).finally(() => (making = undefined));
    return making;
  }

  async function fetched(name: string, { credentials, signal }: PullOptions): Promise<StoredImage> {
    const reference = parseReference(name);
    if (isNodeImage(reference)) {
      const tags = nodeImageTags(process.version);
      if (reference.digest || !tags.includes(reference.tag ?? 'latest'))
        throw new OciError(
          'NOT_FOUND',
          `${canonicalName(reference)}: not found: this machine's Node.js answers to the tags ${tags.join(', ')}`,
        );
      return nodeImage();
    }
    const distribution = createDistribution({
      mirrors,
      credentials,
      ...(signal && { signal }),
      ...(connect && { connect }),
    });
    return store.fetch(distribution, reference);
  }

  return {
    async resolve(name) {
      const reference = parseReference(name);
      if (
        isNodeImage(reference) &&
        !reference.digest &&
        nodeImageTags(process.version).includes(reference.tag ?? 'latest')
      )
        return nodeImage();
      return store.resolve(name);
    },
    pull(name, options) {
      const running = pulling.get(name);
      if (running) return running;
      const work = fetched(name, options).finally(() => pulling.delete(name));
      pulling.set(name, work);
      return work;
    },
    get: (id) => store.get(id),
    list: () => store.list(),
    remove: (id) => store.remove(id),
  };
}

/** Puts every image of an archive into the store; returns them in the archive's order, each with its name. */
export async function loadArchive(
  store: ImageStore,
  path: string,
): Promise<readonly { readonly name: string; readonly image: StoredImage }[]> {
  const scratch = await store.temporaryDirectory();
  try {
    const loaded: { name: string; image: StoredImage }[] = [];
    for (const { reference, source } of await openArchive(path, scratch)) {
      loaded.push({ name: canonicalName(reference), image: await store.fetch(source, reference) });
    }
    return loaded;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
