import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DigestStream, sha256 } from './digest.ts';
import type { Distribution } from './distribution.ts';
import { flatten } from './flatten.ts';
import { isIndex } from './manifest.ts';
import type { Descriptor, ImageConfigFile, Index, Manifest } from './manifest.ts';
import { OciError } from './oci-error.ts';
import { selectManifest } from './platform.ts';
import type { Platform } from './platform.ts';
import { canonicalName, parseReference } from './reference.ts';
import type { Reference } from './reference.ts';
import type { UnpackJob, UnpackResult } from './unpack.ts';

/** Where manifests and blobs come from: a registry or an archive. */
export type ContentSource = Distribution;

/** An image whose layers lie unpacked in the store. */
export interface StoredImage {
  /** Digest of its configuration. */
  readonly id: string;
  /** Full references with tags. */
  readonly tags: readonly string[];
  /** Full references with digests. */
  readonly digests: readonly string[];
  /** Bytes of the unpacked files. */
  readonly sizeBytes: number;
  /** Lowest first; no whiteouts in any. */
  readonly layers: readonly string[];
  readonly os: string;
  readonly architecture: string;
  readonly config: StoredConfig;
}

export interface StoredConfig {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly stopSignal?: string;
  readonly volumes: readonly string[];
  readonly exposedPorts: readonly string[];
}

/** What the store keeps of one image. */
export interface ImageRecord {
  readonly id: string;
  readonly sizeBytes: number;
  readonly layers: readonly string[];
  readonly config: ImageConfigFile;
}

interface ReferenceRecord {
  readonly reference: string;
  readonly imageId: string;
}

interface LayerRecord extends UnpackResult {
  readonly diffId: string;
}

export interface ImageStoreOptions {
  /** Made when missing, mode 0700. */
  readonly directory: string;
  readonly platform: Platform;
  /** Unpacks one layer; another process may do it. */
  unpack(job: UnpackJob): Promise<UnpackResult>;
}

/**
 * Images of one machine, unpacked once into layers. All state is small files written whole and renamed into place, so that
 * several processes may use one store and a crash leaves nothing half-made that counts.
 *
 *     references/<sha256 of the name>.json   { reference, imageId }
 *     images/<hex>.json                      configuration, layer directories, size
 *     layers/<hex of diff id>/{root,layer.json}
 *     merged/<hex of chain>/{root,layer.json}   what is visible after a layer with whiteouts
 *     tmp/PID-…                              work of a process; see `sweep`
 */
export class ImageStore {
  readonly #directory: string;
  readonly #platform: Platform;
  readonly #unpack: (job: UnpackJob) => Promise<UnpackResult>;
  readonly #working = new Map<string, Promise<LayerRecord>>();
  readonly #listeners = new Set<() => void>();

  constructor(options: ImageStoreOptions) {
    this.#directory = options.directory;
    this.#platform = options.platform;
    this.#unpack = options.unpack;
  }

  /** The image a reference names here, without asking any registry. Throws `INVALID_REFERENCE`. */
  async resolve(name: string): Promise<StoredImage | undefined> {
    const reference = parseReference(name);
    const { tag: _tag, ...byDigest } = reference;
    const record = await this.#read<ReferenceRecord>(
      this.#referenceFile(reference.digest ? byDigest : reference),
    );
    return record && this.get(record.imageId);
  }

  /** By image id. */
  async get(id: string): Promise<StoredImage | undefined> {
    const record = await this.#read<ImageRecord>(join(this.#directory, 'images', `${hex(id)}.json`));
    if (!record) return undefined;
    const names = (await this.#references())
      .filter((entry) => entry.imageId === id)
      .map((entry) => entry.reference);
    return stored(record, names.sort());
  }

  async list(): Promise<readonly StoredImage[]> {
    const names = await this.#references();
    const images: StoredImage[] = [];
    for (const file of await this.#names('images')) {
      const record = await this.#read<ImageRecord>(join(this.#directory, 'images', file));
      if (!record) continue;
      images.push(
        stored(
          record,
          names
            .filter((entry) => entry.imageId === record.id)
            .map((entry) => entry.reference)
            .sort(),
        ),
      );
    }
    return images;
  }

  /** Forgets an image, its names, and the layers that no other image uses. The caller knows that nothing runs on it. */
  async remove(id: string): Promise<void> {
    for (const record of await this.#references()) {
      if (record.imageId === id)
        await rm(this.#referenceFile(parseReference(record.reference)), { force: true });
    }
    await rm(join(this.#directory, 'images', `${hex(id)}.json`), { force: true });
    const used = new Set((await this.list()).flatMap((image) => image.layers.map((layer) => dirname(layer))));
    for (const kind of ['layers', 'merged']) {
      for (const name of await this.#names(kind)) {
        const path = join(this.#directory, kind, name);
        if (!used.has(path)) await rm(path, { recursive: true, force: true });
      }
    }
    this.#changed();
  }

  /** Calls `listener` after an image was added or removed through this object. */
  onChange(listener: () => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  /** Takes an image and its layers from a source and gives it a name. Layers that are here already are not fetched. */
  async fetch(source: ContentSource, reference: Reference): Promise<StoredImage> {
    const name = canonicalName(reference);
    let answer = await source.manifest(reference);
    const topDigest = answer.digest;
    let document = parseDocument<Manifest | Index>(answer.body, name);
    if (isIndex(document)) {
      const chosen = selectManifest(document, this.#platform, name);
      answer = await source.manifest({ ...reference, digest: chosen.digest });
      document = parseDocument<Manifest | Index>(answer.body, name);
      if (isIndex(document)) throw new OciError('CORRUPT', `image ${name} is an index of indexes`);
    }
    if (!document.config?.digest || !Array.isArray(document.layers))
      throw new OciError(
        'CORRUPT',
        `image ${name} has a manifest of an unknown form (schema version 1 is not supported)`,
      );
    const manifest = document;
    const configBytes = await bytesOf(await source.blob(reference, manifest.config.digest));
    if (sha256(configBytes) !== manifest.config.digest)
      throw new OciError(
        'CORRUPT',
        `the configuration of image ${name} does not have digest ${manifest.config.digest}`,
      );
    const config = parseDocument<ImageConfigFile>(configBytes, name);
    this.#checkPlatform(config, name);
    const diffIds = config.rootfs?.diff_ids ?? [];
    if (diffIds.length !== manifest.layers.length)
      throw new OciError(
        'CORRUPT',
        `image ${name} has ${manifest.layers.length} layers but ${diffIds.length} diff ids`,
      );
    const records = await inParallel(
      manifest.layers.map(
        (layer, at) => () => this.#layer(source, reference, { layer, diffId: diffIds[at] ?? '' }),
      ),
      3,
    );
    const layers = await this.#stack(records);
    const record: ImageRecord = {
      id: manifest.config.digest,
      sizeBytes: records.reduce((sum, layer) => sum + layer.bytes, 0),
      layers,
      config,
    };
    await this.#write(join(this.#directory, 'images', `${hex(record.id)}.json`), record);
    const { tag, digest: _digest, ...repository } = reference;
    await this.#name({ ...repository, digest: topDigest }, record.id);
    if (tag) await this.#name({ ...repository, tag }, record.id);
    this.#changed();
    const image = await this.get(record.id);
    if (!image)
      throw new OciError('CORRUPT', `image ${name} vanished from ${this.#directory} while it was stored`);
    return image;
  }

  /** Stores an image whose layer directories exist already, outside the store, under these names. */
  async put(image: ImageRecord, references: readonly Reference[]): Promise<void> {
    await this.#write(join(this.#directory, 'images', `${hex(image.id)}.json`), image);
    for (const reference of references) await this.#name(reference, image.id);
    this.#changed();
  }

  /** A new empty directory below the store, for the caller to fill, rename or remove. */
  async temporaryDirectory(): Promise<string> {
    const parent = join(this.#directory, 'tmp');
    await mkdir(parent, { recursive: true, mode: 0o700 });
    return mkdtemp(join(parent, `${process.pid}-`));
  }

  /** Removes the unfinished work of processes that are no more. */
  async sweep(): Promise<void> {
    for (const name of await this.#names('tmp')) {
      if (!isAlive(Number.parseInt(name, 10)))
        await rm(join(this.#directory, 'tmp', name), { recursive: true, force: true });
    }
  }

  async #name(reference: Reference, imageId: string): Promise<void> {
    const record: ReferenceRecord = { reference: canonicalName(reference), imageId };
    await this.#write(this.#referenceFile(reference), record);
  }

  #checkPlatform(config: ImageConfigFile, name: string): void {
    const { os, architecture } = this.#platform;
    const wrong =
      (config.os && config.os !== os) || (config.architecture && config.architecture !== architecture);
    if (wrong)
      throw new OciError(
        'WRONG_PLATFORM',
        `image ${name} is made for ${config.os}/${config.architecture}, and this node runs ${os}/${architecture}`,
      );
  }

  /** One layer of an image, unpacked; concurrent requests for one layer share the work. */
  #layer(
    source: ContentSource,
    reference: Reference,
    { layer, diffId }: { layer: Descriptor; diffId: string },
  ): Promise<LayerRecord> {
    const running = this.#working.get(diffId);
    if (running) return running;
    const work = this.#makeLayer(source, reference, { layer, diffId }).finally(() =>
      this.#working.delete(diffId),
    );
    this.#working.set(diffId, work);
    return work;
  }

  async #makeLayer(
    source: ContentSource,
    reference: Reference,
    { layer, diffId }: { layer: Descriptor; diffId: string },
  ): Promise<LayerRecord> {
    const target = join(this.#directory, 'layers', hex(diffId));
    const existing = await this.#read<LayerRecord>(join(target, 'layer.json'));
    if (existing) return existing;
    const work = await this.temporaryDirectory();
    try {
      const blob = join(work, 'blob');
      const digest = new DigestStream();
      try {
        await pipeline(await source.blob(reference, layer.digest), digest, createWriteStream(blob));
      } catch (error) {
        throw blobError(error, layer, canonicalName(reference));
      }
      if (digest.digest !== layer.digest)
        throw new OciError(
          'CORRUPT',
          `layer ${layer.digest} of ${canonicalName(reference)} arrived with digest ${digest.digest}`,
        );
      await mkdir(join(work, 'root'), { mode: 0o755 });
      const result = await this.#unpack({ blob, target: join(work, 'root'), diffId });
      await rm(blob);
      const record: LayerRecord = { diffId, ...result };
      await writeFile(join(work, 'layer.json'), JSON.stringify(record));
      await this.#install(work, target);
      return record;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  /** The directories that show an image, lowest first: everything up to the last layer with whiteouts is one directory. */
  async #stack(records: readonly LayerRecord[]): Promise<readonly string[]> {
    let stack: string[] = [];
    let chain = '';
    for (const record of records) {
      chain = hex(sha256(`${chain} ${record.diffId}`));
      const own = join(this.#directory, 'layers', hex(record.diffId), 'root');
      if (record.whiteouts.length === 0 && record.opaque.length === 0) {
        stack.push(own);
        continue;
      }
      const target = join(this.#directory, 'merged', chain);
      if (!(await this.#read(join(target, 'layer.json')))) {
        const work = await this.temporaryDirectory();
        try {
          await mkdir(join(work, 'root'), { mode: 0o755 });
          await flatten(stack, own, { ...record, target: join(work, 'root') });
          await writeFile(join(work, 'layer.json'), JSON.stringify({ chain }));
          await this.#install(work, target);
        } finally {
          await rm(work, { recursive: true, force: true });
        }
      }
      stack = [join(target, 'root')];
    }
    return stack;
  }

  /** Renames a finished directory into place; another process may have been faster, and its work is as good. */
  async #install(work: string, target: string): Promise<void> {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await rename(work, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }

  #referenceFile(reference: Reference): string {
    return join(this.#directory, 'references', `${hex(sha256(canonicalName(reference)))}.json`);
  }

  async #references(): Promise<ReferenceRecord[]> {
    const records: ReferenceRecord[] = [];
    for (const file of await this.#names('references')) {
      const record = await this.#read<ReferenceRecord>(join(this.#directory, 'references', file));
      if (record) records.push(record);
    }
    return records;
  }

  async #names(folder: string): Promise<string[]> {
    const names = await readdir(join(this.#directory, folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => !name.endsWith('.tmp'));
  }

  async #read<T>(file: string): Promise<T | undefined> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  async #write(file: string, record: object): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
    await rename(temporary, file);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function stored(record: ImageRecord, names: readonly string[]): StoredImage {
  const config = record.config.config ?? {};
  return {
    id: record.id,
    tags: names.filter((name) => !name.includes('@')),
    digests: names.filter((name) => name.includes('@')),
    sizeBytes: record.sizeBytes,
    layers: record.layers,
    os: record.config.os ?? 'linux',
    architecture: record.config.architecture ?? '',
    config: {
      user: config.User ?? '',
      env: config.Env ?? [],
      entrypoint: config.Entrypoint ?? [],
      cmd: config.Cmd ?? [],
      workingDir: config.WorkingDir ?? '',
      ...(config.StopSignal && { stopSignal: config.StopSignal }),
      volumes: Object.keys(config.Volumes ?? {}),
      exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    },
  };
}

function hex(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

function parseDocument<T>(bytes: Buffer, name: string): T {
  try {
    return JSON.parse(bytes.toString()) as T;
  } catch (error) {
    throw new OciError('CORRUPT', `image ${name} has a manifest or configuration that is not JSON`, {
      cause: error,
    });
  }
}

function blobError(error: unknown, layer: Descriptor, name: string): unknown {
  if (error instanceof OciError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'ENOSPC')
    return new OciError('NO_SPACE', `no space left for layer ${layer.digest} of ${name}`, { cause: error });
  return new OciError('UNAVAILABLE', `failed to pull layer ${layer.digest} of ${name}: ${message}`, {
    cause: error,
  });
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Runs tasks in order of their start, at most `width` at once; results in order of the tasks. */
async function inParallel<T>(tasks: readonly (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (;;) {
      const at = next;
      next += 1;
      const task = tasks[at];
      if (!task) return;
      results[at] = await task();
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, tasks.length) }, worker));
  return results;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
