import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { giveTo } from './give-to.ts';
import { chmod, link, lutimes, mkdir, open, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { extract } from 'tar-stream';
import type { Extract, Header } from 'tar-stream';
import { decompressor, sniffCompression } from './decompress.ts';
import { DigestStream } from './digest.ts';
import { OciError } from './oci-error.ts';
import { scopedPath } from './scoped-path.ts';

/** One layer to unpack. Serialisable, so that another process can do the work. */
export interface UnpackJob {
  /** The layer's blob: a tar archive, plain or compressed with gzip or zstd. */
  readonly blob: string;
  /** An existing, empty directory. */
  readonly target: string;
  /** The digest that the uncompressed archive must have. */
  readonly diffId: string;
}

/** What unpacking found. */
export interface UnpackResult {
  /** Paths that this layer removes from the layers below (`.wh.NAME`). */
  readonly whiteouts: readonly string[];
  /** Directories whose lower content this layer hides (`.wh..wh..opq`). */
  readonly opaque: readonly string[];
  /** Bytes of regular files. */
  readonly bytes: number;
}

/** The body of one entry; the next entry comes when it has been read. */
type Content = Extract extends AsyncIterable<infer Entry> ? Entry : never;

const whiteoutPrefix = '.wh.';
const opaqueMarker = '.wh..wh..opq';
const asRoot = process.getuid?.() === 0;

/**
 * Unpacks one layer (image-spec, layer.md). Nothing is written outside `target`, whatever names and links the archive
 * holds. Owners are kept when run as root; extended attributes are not. Throws `CORRUPT` or `NO_SPACE`.
 */
export async function unpackLayer(job: UnpackJob): Promise<UnpackResult> {
  const handle = await open(job.blob);
  const head = Buffer.alloc(4);
  try {
    await handle.read(head, 0, 4, 0);
  } finally {
    await handle.close();
  }
  const digest = new DigestStream();
  const unpacking = new LayerUnpacking(job.target);
  const tar = extract();
  const entries = (async () => {
    for await (const entry of tar) await unpacking.entry(entry.header, entry);
    await unpacking.finish();
  })();
  const inflate = decompressor(sniffCompression(head));
  const source = createReadStream(job.blob, { highWaterMark: 1 << 20 });
  try {
    await Promise.all([
      inflate ? pipeline(source, inflate, digest, tar) : pipeline(source, digest, tar),
      entries,
    ]);
  } catch (error) {
    throw unpackError(error, job);
  }
  if (digest.digest !== job.diffId)
    throw new OciError(
      'CORRUPT',
      `layer ${job.diffId} is corrupt: its content has digest ${digest.digest}; pull or load the image again`,
    );
  return unpacking.result();
}

function unpackError(error: unknown, job: UnpackJob): unknown {
  if (error instanceof OciError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new OciError('NO_SPACE', `no space left to unpack layer ${job.diffId} into ${job.target}`, {
      cause: error,
    });
  const message = error instanceof Error ? error.message : String(error);
  return new OciError('CORRUPT', `layer ${job.diffId} cannot be unpacked: ${message}`, { cause: error });
}

/** The state of one layer's extraction. */
class LayerUnpacking {
  readonly #root: string;
  readonly #whiteouts: string[] = [];
  readonly #opaque: string[] = [];
  /** Directory times are set last: making files inside changes them. */
  readonly #directories: { path: string; mtime: Date }[] = [];
  #bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  result(): UnpackResult {
    return { whiteouts: this.#whiteouts, opaque: this.#opaque, bytes: this.#bytes };
  }

  async entry(header: Header, content: Content): Promise<void> {
    const name = header.name.replace(/^(?:\.?\/+)+/, '').replace(/\/+$/, '');
    if (name === '' || name === '.') {
      content.resume();
      if (header.type === 'directory') await this.#own(this.#root, header);
      return;
    }
    const slash = name.lastIndexOf('/');
    const base = name.slice(slash + 1);
    const parent = name.slice(0, Math.max(slash, 0));
    if (base === opaqueMarker || base.startsWith(whiteoutPrefix)) {
      content.resume();
      if (base === opaqueMarker) this.#opaque.push(parent);
      else this.#whiteouts.push(parent === '' ? base.slice(4) : `${parent}/${base.slice(4)}`);
      return;
    }
    if (base === '..') throw new OciError('CORRUPT', `entry ${JSON.stringify(header.name)} leaves the image`);
    const directory = await scopedPath(this.#root, parent, 'create');
    await this.#make(header, join(directory, base), content);
  }

  async #make(header: Header, path: string, content: Content): Promise<void> {
    if (header.type !== 'file' && header.type !== 'contiguous-file') content.resume();
    switch (header.type) {
      case 'directory':
        await mkdir(path, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
        await this.#own(path, header);
        if (header.mtime) this.#directories.push({ path, mtime: header.mtime });
        return;
      case 'file':
      case 'contiguous-file':
        await rm(path, { force: true, recursive: true });
        await pipeline(content, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
        this.#bytes += header.size ?? 0;
        await this.#own(path, header);
        if (header.mtime) await lutimes(path, header.mtime, header.mtime);
        return;
      case 'symlink':
        await rm(path, { force: true, recursive: true });
        await symlink(header.linkname ?? '', path);
        if (asRoot) await giveTo(path, header.uid ?? 0, header.gid ?? 0);
        return;
      case 'link': {
        await rm(path, { force: true, recursive: true });
        const target = (header.linkname ?? '').replace(/^(?:\.?\/+)+/, '');
        const slash = target.lastIndexOf('/');
        const from = await scopedPath(this.#root, target.slice(0, Math.max(slash, 0)), 'existing');
        await link(join(from, target.slice(slash + 1)), path);
        return;
      }
      case 'character-device':
      case 'block-device':
      case 'fifo':
        if (!asRoot) return;
        await promisify(execFile)('mknod', deviceArguments(header, path));
        await this.#own(path, header);
        return;
      default:
        return;
    }
  }

  async #own(path: string, header: Header): Promise<void> {
    if (asRoot) await giveTo(path, header.uid ?? 0, header.gid ?? 0);
    await chmod(path, (header.mode ?? 0o755) & 0o7777);
  }

  async finish(): Promise<void> {
    for (const { path, mtime } of this.#directories.reverse()) await lutimes(path, mtime, mtime);
  }
}

function deviceArguments(header: Header, path: string): string[] {
  if (header.type === 'fifo') return [path, 'p'];
  const kind = header.type === 'block-device' ? 'b' : 'c';
  return [path, kind, String(header.devmajor ?? 0), String(header.devminor ?? 0)];
}
