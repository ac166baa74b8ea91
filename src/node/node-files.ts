import { namesIn } from './names-in.ts';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unshareMounts } from './volumes/shared-mounts.ts';
import { unmountBelow } from './volumes/tmpfs.ts';

/** The folder of a node's files that must not reach a disk. */
export function memoryDirectoryOf(directory: string): string {
  return join(directory, 'memory');
}

/** Unmounts what a node agent mounted under its directory; files on disk stay. Nothing may run there any more. */
export async function unmountNodeFiles(directory: string): Promise<void> {
  await unshareMounts(directory);
  await unmountBelow(directory);
}

/** Removes the files of pods that are neither on the node nor in the runtime, by uid. */
export async function removeStaleFiles(directory: string, known: ReadonlySet<string>): Promise<void> {
  for (const folder of [join(directory, 'pods'), memoryDirectoryOf(directory)]) {
    for (const uid of await namesIn(folder)) {
      if (known.has(uid)) continue;
      await unmountBelow(join(folder, uid));
      await rm(join(folder, uid), { recursive: true, force: true });
    }
  }
  for (const name of await namesIn(join(directory, 'logs'))) {
    if (known.has(name.slice(name.lastIndexOf('_') + 1))) continue;
    await rm(join(directory, 'logs', name), { recursive: true, force: true });
  }
}
