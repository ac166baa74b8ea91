import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An image of one layer. */
export interface ImageParts {
  readonly layer: Buffer;
  readonly config: Buffer;
}

export interface ImageOptions {
  /** Absolute paths in the image, and what the files hold. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly os?: string;
  readonly architecture?: string;
  readonly command?: readonly string[];
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64' };

/** Makes an image of this machine's shell (`/bin/sh`), the libraries it loads, and further files. */
export function makeImage(scratch: string, options: ImageOptions = {}): ImageParts {
  const root = mkdtempSync(join(scratch, 'root-'));
  for (const path of ['/bin/sh', ...librariesOf('/bin/sh')]) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(realpathSync(path), join(root, path));
  }
  for (const [path, content] of Object.entries(options.files ?? {})) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const layer = execFileSync('tar', ['-C', root, '-cf', '-', '.'], { maxBuffer: 1 << 30 });
  rmSync(root, { recursive: true, force: true });
  const config = Buffer.from(
    JSON.stringify({
      os: options.os ?? 'linux',
      architecture: options.architecture ?? architectures[process.arch] ?? process.arch,
      config: { Cmd: options.command ?? ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  return { layer, config };
}

/** Writes an image as a docker-archive. */
export function writeArchive(file: string, name: string, { layer, config }: ImageParts): void {
  const folder = mkdtempSync(`${file}-`);
  writeFileSync(join(folder, 'layer.tar'), layer);
  writeFileSync(join(folder, 'config.json'), config);
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]),
  );
  execFileSync('tar', ['-C', folder, '-cf', file, 'manifest.json', 'config.json', 'layer.tar']);
  rmSync(folder, { recursive: true, force: true });
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The libraries that a program loads, and what loads them; none when it is static. */
export function librariesOf(program: string): readonly string[] {
  const { stdout: text } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}
