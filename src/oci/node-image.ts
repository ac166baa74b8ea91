import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import {
  access,
  chmod,
  copyFile,
  link,
  mkdir,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from './digest.ts';
import type { ImageStore, StoredImage } from './image-store.ts';
import { hostPlatform } from './manifest.ts';
import type { ImageConfigFile } from './manifest.ts';
import type { Reference } from './reference.ts';

const registry = 'kanoe.local';
const repository = 'node';
/** Small programs that shells scripts and probes expect, where the machine has them. */
const companions = [
  'sh',
  'cat',
  'echo',
  'env',
  'hostname',
  'id',
  'kill',
  'ls',
  'mkdir',
  'ps',
  'rm',
  'sleep',
  'test',
  'touch',
  'true',
  'false',
  'stty',
];
const libraryFolders = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'];

/** Whether a reference means the image that is made from the running Node.js. */
export function isNodeImage(reference: Reference): boolean {
  return reference.registry === registry && reference.repository === repository;
}

/** The tags that this machine's Node.js answers to: `latest`, `20`, `20.19`, `20.19.4`. */
export function nodeImageTags(version: string): readonly string[] {
  const [major = '', minor = '', patch = ''] = version.replace(/^v/, '').split('.');
  return ['latest', major, `${major}.${minor}`, `${major}.${minor}.${patch}`];
}

/**
 * Makes the image `kanoe.local/node` in the store: the running Node.js, the libraries it loads, a shell and a few small
 * programs of the machine, `/etc/passwd` and the like. No network is needed. Files are hard links where the file systems
 * allow it. Idempotent: the image is made again only when the Node.js program changes.
 */
export async function ensureNodeImage(store: ImageStore, directory: string): Promise<StoredImage> {
  const program = await realpath(process.execPath);
  const info = await stat(program);
  const identity = sha256(`${layoutVersion} ${process.version} ${program} ${info.size} ${info.mtimeMs}`);
  const config = configuration(identity);
  const id = sha256(JSON.stringify(config));
  const existing = await store.get(id);
  if (existing) return existing;
  const root = join(directory, identity.slice(7, 19), 'root');
  const work = `${root}.${process.pid}.tmp`;
  await rm(work, { recursive: true, force: true });
  const files = await imageFiles(program);
  let sizeBytes = 0;
  try {
    for (const [target, source] of files) {
      await mkdir(join(work, dirname(target)), { recursive: true });
      await place(source, join(work, target));
      sizeBytes += (await stat(source)).size;
    }
    await furnish(work, files);
    await rm(root, { recursive: true, force: true });
    await rename(work, root);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
  const references = nodeImageTags(process.version).map((tag): Reference => ({ registry, repository, tag }));
  await store.put({ id, layers: [root], sizeBytes, config }, references);
  return { ...(await required(store, id)) };
}

/** Grows when the content of the image changes for the same Node.js. */
const layoutVersion = 1;

async function required(store: ImageStore, id: string): Promise<StoredImage> {
  const image = await store.get(id);
  if (!image) throw new Error(`image ${id} vanished while it was stored`);
  return image;
}

function configuration(identity: string): ImageConfigFile {
  return {
    ...hostPlatform(),
    config: {
      Env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        `NODE_VERSION=${process.version.slice(1)}`,
      ],
      Cmd: ['node'],
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: [identity] },
  };
}

/** Target path → source path. */
async function imageFiles(program: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>([['usr/local/bin/node', program]]);
  for (const library of await libraries(program)) files.set(library.slice(1), await realpath(library));
  for (const name of companions) {
    const path = await firstExisting([`/bin/${name}`, `/usr/bin/${name}`]);
    if (!path) continue;
    files.set(`bin/${name}`, await realpath(path));
    for (const library of await libraries(path)) files.set(library.slice(1), await realpath(library));
  }
  for (const folder of libraryFolders) {
    for (const name of await readdir(
      join(folder, `${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`),
    ).catch(() => [])) {
      if (/^libnss_(?:dns|files)\.so\.2$/.test(name)) {
        const path = join(folder, `${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`, name);
        files.set(path.slice(1), await realpath(path));
      }
    }
  }
  return files;
}

/** The shared libraries that the dynamic loader would load for a program, loader included; none for a static one. */
async function libraries(program: string): Promise<readonly string[]> {
  const listed = await promisify(execFile)(program, [], {
    env: { LD_TRACE_LOADED_OBJECTS: '1' },
    timeout: 5_000,
  }).catch(() => undefined);
  return [...(listed?.stdout ?? '').matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((match) => match[1] ?? '');
}

async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

async function place(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    await chmod(target, (await stat(source)).mode & 0o777);
  }
}

async function furnish(root: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const folder of ['dev', 'etc', 'home', 'proc', 'root', 'run', 'sys', 'usr/bin', 'var/log', 'var/run'])
    await mkdir(join(root, folder), { recursive: true });
  for (const folder of ['tmp', 'var/tmp']) {
    await mkdir(join(root, folder), { recursive: true });
    await chmod(join(root, folder), 0o1777);
  }
  await chmod(join(root, 'root'), 0o700);
  const shell = files.has('bin/sh') ? '/bin/sh' : '/usr/local/bin/node';
  await writeFile(
    join(root, 'etc/passwd'),
    `root:x:0:0:root:/root:${shell}\nnode:x:1000:1000:node:/home:${shell}\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n');
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  await symlink('/usr/local/bin/node', join(root, 'usr/bin/node'));
  const env = join(root, 'usr/bin/env');
  if (files.has('bin/env')) await symlink('/bin/env', env);
  await readFile('/etc/ssl/certs/ca-certificates.crt').then(
    async (certificates) => {
      await mkdir(join(root, 'etc/ssl/certs'), { recursive: true });
      await writeFile(join(root, 'etc/ssl/certs', basename('ca-certificates.crt')), certificates);
    },
    () => undefined,
  );
}
