import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from './digest.ts';
import type { ImageConfigFile } from './manifest.ts';

export interface ArchivedImage {
  /** `kanoe.local/node:latest`. */
  readonly name: string;
  readonly os: string;
  readonly architecture: string;
  readonly config: NonNullable<ImageConfigFile['config']>;
  /** Unpacked layers, lowest first. */
  readonly layers: readonly string[];
}

const run = promisify(execFile);

/** Writes an image as a docker archive (as `docker save` does) for other stores to import; `folder` is for its parts. */
export async function writeArchive(image: ArchivedImage, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const parts: string[] = [];
  const digests: string[] = [];
  for (const [index, layer] of image.layers.entries()) {
    const part = `layer${index}.tar`;
    await run('tar', ['--numeric-owner', '--xattrs', '-C', layer, '-cf', join(folder, part), '.']);
    digests.push(await digestOf(join(folder, part)));
    parts.push(part);
  }
  const { os, architecture, config } = image;
  const document = JSON.stringify({
    architecture,
    os,
    config,
    rootfs: { type: 'layers', diff_ids: digests },
  });
  const configFile = `${sha256(document).slice('sha256:'.length)}.json`;
  await writeFile(join(folder, configFile), document);
  const manifest = [{ Config: configFile, RepoTags: [image.name], Layers: parts }];
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'image.tar');
  await run('tar', ['-C', folder, '-cf', archive, 'manifest.json', configFile, ...parts]);
  await Promise.all(parts.map((part) => rm(join(folder, part))));
  return archive;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
