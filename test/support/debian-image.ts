import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf, librariesOf, writeArchive } from './image-archive.ts';

/** A program of this machine as an image: with the libraries it loads, and busybox for a shell. */
export interface DebianImage {
  /** Reference of the image. */
  readonly name: string;
  /** Paths on this machine; `[from, to]` where they differ in the image. */
  readonly programs: readonly (string | readonly [from: string, to: string])[];
  /** Folders that are copied whole, where they are there. */
  readonly folders?: readonly string[];
  /** Further files by their paths in the image; those under `/usr/local/bin` can be run. */
  readonly files?: Readonly<Record<string, string>>;
  readonly config: { readonly Entrypoint: readonly string[]; readonly [key: string]: unknown };
}

/** Writes the image as a docker-archive into `scratch` and gives the file. */
export function makeDebianImage(scratch: string, image: DebianImage): string {
  const root = mkdtempSync(join(scratch, 'image-'));
  const place = (path: string): string => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  for (const folder of ['tmp', 'etc', 'run', 'root', 'dev', 'proc', 'sys', 'var/lib', 'usr/bin'])
    place(`${folder}/x`);
  execFileSync('chmod', ['1777', join(root, 'tmp')]);
  const busybox = '/bin/busybox';
  for (const program of [busybox, ...image.programs]) {
    const [from, to] = typeof program === 'string' ? [program, program] : program;
    for (const path of librariesOf(from))
      if (!existsSync(place(path))) copyFileSync(realpathSync(path), place(path));
    copyFileSync(realpathSync(from), place(to));
  }
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n'))
    if (applet !== '' && !existsSync(place(`bin/${applet}`))) symlinkSync('busybox', place(`bin/${applet}`));
  for (const folder of image.folders ?? [])
    if (existsSync(folder)) cpSync(folder, place(folder), { recursive: true, verbatimSymlinks: true });
  writeFileSync(place('etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
  writeFileSync(place('etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  for (const [path, text] of Object.entries(image.files ?? {}))
    writeFileSync(place(path), text, { mode: path.startsWith('/usr/local/bin/') ? 0o755 : 0o644 });
  const layer = execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', '-', '.'], {
    maxBuffer: 1 << 30,
  });
  rmSync(root, { recursive: true });
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      config: { Env: ['PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...image.config },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const file = join(scratch, `${image.name.replaceAll(/[^a-z0-9]+/g, '-')}.tar`);
  writeArchive(file, image.name, { layer, config });
  return file;
}
