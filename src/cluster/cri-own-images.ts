import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep, type Clock } from '../base/clock.ts';
import { ImageError, type Image, type ImageService } from '../node/image-service.ts';
import { pauseProgram } from '../node/runtimes/cri/pause-program.ts';
import { hostPlatform } from '../oci/manifest.ts';
import { canonicalName, parseReference } from '../oci/reference.ts';
import { writeArchive, type ArchivedImage } from '../oci/write-archive.ts';

export interface OwnImagesOptions {
  /** The runtime's images. */
  readonly images: ImageService;
  /** Those that were loaded into Kanoe's store, and `kanoe.local/node`. */
  readonly own: ImageService;
  /** `unix:///run/containerd/containerd.sock`. */
  readonly endpoint: string;
  /** For archives while they are made. */
  readonly directory: string;
  readonly clock: Clock;
}

const run = promisify(execFile);
const registry = 'kanoe.local';
/** The runtime hears of what was imported a moment later. */
const newsMs = 5_000;
const pollMs = 20;

/**
 * The runtime's images, and those of Kanoe's own store: CRI can only pull, so these are handed to containerd by its own tool,
 * `ctr`, when somebody asks for them.
 */
export function withOwnImages(options: OwnImagesOptions): ImageService {
  const { images, own } = options;
  /** By canonical name: the image of the store that the runtime got last. */
  const given = new Map<string, { readonly id: string; readonly image: Promise<Image> }>();

  async function give(reference: string, image: Image): Promise<Image> {
    const name = canonicalName(parseReference(reference));
    const known = given.get(name);
    if (known?.id === image.id) return known.image;
    // The files are known here, though not of what the runtime pulls itself: volumes can be made of them.
    const imported = importImage({ ...image, name, config: ociConfig(image) }, options).then((its) => ({
      ...its,
      layers: image.layers,
    }));
    given.set(name, { id: image.id, image: imported });
    imported.catch(() => given.delete(name));
    return imported;
  }

  return {
    ...images,
    async resolve(reference) {
      const stored = await own.resolve(reference);
      return stored ? give(reference, stored) : images.resolve(reference);
    },
    async pull(reference, pulling) {
      if (parseReference(reference).registry !== registry) return images.pull(reference, pulling);
      return give(reference, await own.pull(reference, pulling));
    },
  };
}

/**
 * Gives the runtime a sandbox image that does nothing, under the name that it wants. False where that cannot be done: there is
 * no `ctr`, or no program for this processor.
 */
export async function importPause(
  name: string,
  options: Pick<OwnImagesOptions, 'endpoint' | 'directory' | 'images' | 'clock'>,
): Promise<boolean> {
  const program = pauseProgram(process.arch);
  if (program === undefined) return false;
  await mkdir(options.directory, { recursive: true });
  const layer = await mkdtemp(join(options.directory, 'pause-'));
  try {
    await writeFile(join(layer, 'pause'), program, { mode: 0o755 });
    const config = { Entrypoint: ['/pause'], User: '65535:65535' };
    await importImage({ ...hostPlatform(), name, config, layers: [layer] }, options);
    return true;
  } catch (error) {
    if (error instanceof ImageError) return false;
    throw error;
  } finally {
    await rm(layer, { recursive: true, force: true });
  }
}

async function importImage(
  image: ArchivedImage,
  {
    endpoint,
    directory,
    images,
    clock,
  }: Pick<OwnImagesOptions, 'endpoint' | 'directory' | 'images' | 'clock'>,
): Promise<Image> {
  await mkdir(directory, { recursive: true });
  const folder = await mkdtemp(join(directory, 'import-'));
  try {
    const archive = await writeArchive(image, folder);
    const address = endpoint.replace(/^unix:\/\//, '');
    await run('ctr', ['--address', address, '--namespace', 'k8s.io', 'images', 'import', archive]);
    const deadline = clock.monotonic() + newsMs;
    for (;;) {
      const found = await images.resolve(image.name);
      if (found) return found;
      if (clock.monotonic() > deadline) throw new Error('the runtime does not have it after the import');
      await sleep(clock, pollMs);
    }
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError(
      'UNAVAILABLE',
      `cannot hand image ${image.name} to the container runtime: ${detail}`,
      {
        cause,
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ociConfig({ config }: Image): ArchivedImage['config'] {
  return {
    User: config.user,
    Env: config.env,
    Entrypoint: config.entrypoint,
    Cmd: config.cmd,
    WorkingDir: config.workingDir,
    ...(config.stopSignal !== undefined && { StopSignal: config.stopSignal }),
    Volumes: Object.fromEntries(config.volumes.map((path) => [path, {}])),
    ExposedPorts: Object.fromEntries(config.exposedPorts.map((port) => [port, {}])),
  };
}
