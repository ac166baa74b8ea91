import { lstat, mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { OciError } from './oci-error.ts';

const maxLinks = 40;

/**
 * Resolves a relative path below `root` as if `root` were `/`: symbolic links, absolute ones too, and `..` never lead out.
 * With `create`, missing directories are made with mode 0755. Throws `CORRUPT` for a loop or a component that is a file.
 */
export async function scopedPath(
  root: string,
  path: string,
  missing: 'create' | 'existing',
): Promise<string> {
  let pending = path.split('/').filter((part) => part !== '' && part !== '.');
  const done: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [part, ...rest] = pending;
    pending = rest;
    if (part === undefined) break;
    if (part === '..') {
      done.pop();
      continue;
    }
    const here = join(root, ...done, part);
    const stat = await lstat(here).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (stat === undefined) {
      if (missing === 'existing')
        throw new OciError('CORRUPT', `${JSON.stringify(path)} does not exist in the layer`);
      await mkdir(here, { mode: 0o755 });
      done.push(part);
    } else if (stat.isSymbolicLink()) {
      links += 1;
      if (links > maxLinks)
        throw new OciError('CORRUPT', `too many symbolic links in ${JSON.stringify(path)}`);
      const target = await readlink(here);
      if (target.startsWith('/')) done.length = 0;
      pending = [...target.split('/').filter((piece) => piece !== '' && piece !== '.'), ...pending];
    } else if (stat.isDirectory()) {
      done.push(part);
    } else {
      throw new OciError(
        'CORRUPT',
        `${JSON.stringify(here.slice(root.length))} is a file, but ${JSON.stringify(path)} lies below it`,
      );
    }
  }
  return join(root, ...done);
}
