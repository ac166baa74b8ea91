import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { decompressor, sniffCompression } from './decompress.ts';
import { sha256 } from './digest.ts';
import type { Distribution } from './distribution.ts';
import type { Descriptor, ImageConfigFile, Index, Manifest } from './manifest.ts';
import { OciError } from './oci-error.ts';
import { parseReference } from './reference.ts';
import type { Reference } from './reference.ts';

/** One image of an archive: the name it goes by and where its content is read. */
export interface ArchivedImage {
  readonly reference: Reference;
  readonly source: Distribution;
}

const nameAnnotations = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const safeName = /^(?!.*(?:^|\/)\.\.(?:\/|$))[\w./:@+-]+$/;

/**
 * The images of an OCI image layout (a directory or a tar archive of one) or of a `docker save` archive. `scratch` is an
 * empty directory that must stay until the images have been read. Throws `CORRUPT` for a file that is neither.
 */
export async function openArchive(path: string, scratch: string): Promise<readonly ArchivedImage[]> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new OciError(
      'NOT_FOUND',
      `cannot read image archive ${path}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`,
      { cause: error },
    );
  });
  const directory = info.isDirectory() ? path : scratch;
  if (!info.isDirectory()) await spread(path, scratch);
  const index = await json<Index>(join(directory, 'index.json'));
  if (index) return layoutImages(path, directory, index);
  const docker = await json<readonly DockerEntry[]>(join(directory, 'manifest.json'));
  if (docker) return dockerImages(path, directory, docker);
  throw new OciError(
    'CORRUPT',
    `${path} is neither an OCI image layout nor a docker-archive: it has no index.json and no manifest.json`,
  );
}

/** Extracts the regular files of an archive whose names are the plain ones these formats use. */
async function spread(path: string, target: string): Promise<void> {
  const handle = await open(path);
  const head = Buffer.alloc(4);
  await handle.read(head, 0, 4, 0);
  await handle.close();
  const tar = extract();
  const entries = (async () => {
    for await (const entry of tar) {
      const name = entry.header.name.replace(/^(?:\.\/)+/, '').replace(/\/$/, '');
      if (entry.header.type === 'file' && safeName.test(name) && !name.startsWith('/')) {
        const file = join(target, name);
        await mkdir(join(file, '..'), { recursive: true });
        await pipeline(entry, createWriteStream(file));
      } else {
        entry.resume();
      }
    }
  })();
  const inflate = decompressor(sniffCompression(head));
  const source = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    await Promise.all([inflate ? pipeline(source, inflate, tar) : pipeline(source, tar), entries]);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    if (code === 'ENOSPC')
      throw new OciError('NO_SPACE', `no space left to read image archive ${path}`, { cause: error });
    throw new OciError('CORRUPT', `${path} is not a readable tar archive: ${message}`, { cause: error });
  }
}

async function layoutImages(
  path: string,
  directory: string,
  index: Index,
): Promise<readonly ArchivedImage[]> {
  const images: ArchivedImage[] = [];
  for (const entry of index.manifests ?? []) {
    const name = nameAnnotations.map((key) => entry.annotations?.[key]).find((value) => value !== undefined);
    if (name === undefined) continue;
    images.push({ reference: parseReference(name), source: layoutSource(path, directory, entry) });
  }
  if (images.length === 0)
    throw new OciError(
      'CORRUPT',
      `${path} names no image: its index.json has no org.opencontainers.image.ref.name annotation`,
    );
  return images;
}

function layoutSource(path: string, directory: string, top: Descriptor): Distribution {
  const blobPath = (digest: string): string => {
    const [algorithm, hex] = digest.split(':', 2);
    if (algorithm !== 'sha256' || !/^[0-9a-f]{64}$/.test(hex ?? ''))
      throw new OciError('CORRUPT', `${path} refers to content by ${JSON.stringify(digest)}`);
    return join(directory, 'blobs', 'sha256', hex ?? '');
  };
  return {
    async manifest(reference) {
      const digest = reference.digest ?? top.digest;
      const body = await readFile(blobPath(digest)).catch((error: NodeJS.ErrnoException) => {
        throw missing(path, digest, error);
      });
      if (sha256(body) !== digest)
        throw new OciError('CORRUPT', `${path}: the manifest ${digest} has other content`);
      return { body, digest, mediaType: top.mediaType };
    },
    async blob(_reference, digest) {
      return opened(path, blobPath(digest), digest);
    },
  };
}

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/** `docker save` keeps layers as plain tar files under names of its own; they get a manifest that says what they are. */
async function dockerImages(
  path: string,
  directory: string,
  entries: readonly DockerEntry[],
): Promise<readonly ArchivedImage[]> {
  const images: ArchivedImage[] = [];
  for (const entry of entries) {
    for (const name of [entry.Config, ...entry.Layers]) {
      if (!safeName.test(name) || name.startsWith('/'))
        throw new OciError('CORRUPT', `${path} refers to ${JSON.stringify(name)}`);
    }
    const configBytes = await readFile(join(directory, entry.Config)).catch(
      (error: NodeJS.ErrnoException) => {
        throw missing(path, entry.Config, error);
      },
    );
    const config = JSON.parse(configBytes.toString()) as ImageConfigFile;
    const files = new Map<string, string>();
    const layers = entry.Layers.map((file, at): Descriptor => {
      const digest = config.rootfs.diff_ids[at] ?? '';
      files.set(digest, join(directory, file));
      return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 0 };
    });
    const configDigest = sha256(configBytes);
    const manifest: Manifest = {
      schemaVersion: 2,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: configDigest,
        size: configBytes.length,
      },
      layers,
    };
    const body = Buffer.from(JSON.stringify(manifest));
    const source: Distribution = {
      manifest: async () => ({
        body,
        digest: sha256(body),
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
      }),
      async blob(_reference, digest) {
        if (digest === configDigest) return Readable.from([configBytes]);
        return opened(path, files.get(digest) ?? join(directory, digest), digest);
      },
    };
    for (const tag of entry.RepoTags ?? []) images.push({ reference: parseReference(tag), source });
  }
  if (images.length === 0)
    throw new OciError('CORRUPT', `${path} names no image: its manifest.json has no RepoTags`);
  return images;
}

async function opened(path: string, file: string, what: string): Promise<Readable> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw missing(path, what, error);
  });
  return handle.createReadStream({ highWaterMark: 1 << 20 });
}

function missing(path: string, what: string, cause: NodeJS.ErrnoException): OciError {
  return new OciError('CORRUPT', `${path} is incomplete: ${what} is missing from it`, { cause });
}

async function json<T>(file: string): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new OciError(
      'CORRUPT',
      `${file.slice(file.lastIndexOf('/') + 1)} of the image archive is not JSON`,
      { cause: error },
    );
  }
}
