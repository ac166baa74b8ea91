import { appendFile, mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '../container-runtime.ts';
import { isMissing } from '../missing-file.ts';
import { runCommand } from '../runtimes/run-command.ts';
import { readMountTable, type MountEntry } from './tmpfs.ts';

/*
 * A mount that a container makes is seen outside only if it lies on a shared mount:
 *
 *     node/              shared     what drivers mount below pods/ and plugins/ reaches the node and other containers
 *     node/containers/   private    root file systems of containers do not
 */

/** Makes a node's directory shared, and the part of it where containers' root file systems are mounted private. */
export async function shareNodeDirectory(directory: string, containers: string): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  await mkdir(containers, { recursive: true });
  if (!(await isShared(directory))) await bindToItself(directory, 'shared');
  if (await isShared(containers)) await bindToItself(containers, 'private');
}

/** Makes what is mounted below a path visible outside the container that mounts it, if it is not yet. */
export async function shareMount(nodeDirectory: string, path: string): Promise<void> {
  const real = await realpath(path);
  if (await isShared(real)) return;
  await appendFile(listOf(nodeDirectory), `${real}\n`);
  await bindToItself(real, 'shared');
}

/** Takes back what {@link shareMount} did for a node, whose containers have ended; idempotent. */
export async function unshareMounts(nodeDirectory: string): Promise<void> {
  const paths = await readFile(listOf(nodeDirectory), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw error;
  });
  for (const path of paths.split('\n').toReversed()) {
    const top = (await readMountTable()).some(({ point }) => point === path);
    if (path !== '' && top) await runCommand('umount', ['-l', path]);
  }
  await rm(listOf(nodeDirectory), { force: true });
}

function listOf(nodeDirectory: string): string {
  return join(nodeDirectory, 'shared-mounts');
}

async function isShared(path: string): Promise<boolean> {
  let innermost: MountEntry | undefined;
  for (const entry of await readMountTable()) {
    const contains = entry.point === '/' || path === entry.point || path.startsWith(`${entry.point}/`);
    if (contains && entry.point.length >= (innermost?.point.length ?? 0)) innermost = entry;
  }
  return innermost?.shared === true;
}

/** Does nothing where mounting is not allowed: propagation is all that is lost. */
async function bindToItself(path: string, propagation: 'shared' | 'private'): Promise<void> {
  try {
    await runCommand('mount', ['--rbind', path, path]);
    await runCommand('mount', [`--make-${propagation}`, path]);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
  }
}
