import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';

/** A text and the name by which people know it. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

const manifestFile = /\.(?:ya?ml|json)$/;

/**
 * The manifest files that a path means: a file of any name, the `*.yaml`, `*.yml` and `*.json` of a folder in the order of their
 * names, standard input for `-`. Throws {@link CliError} for a path that cannot be read and for a folder without manifests.
 */
export async function readSources(
  path: string,
  context: Pick<CliContext, 'cwd' | 'stdin'>,
  options: { readonly recursive?: boolean } = {},
): Promise<readonly SourceText[]> {
  if (path === '-') return [{ file: '-', text: await readAll(context.stdin) }];
  const files = await filesAt(path, context.cwd, options.recursive === true ? Infinity : 1);
  if (files.length === 0)
    throw new CliError(`${path} holds no *.yaml, *.yml or *.json`, {
      ...(!options.recursive && { hint: '-R looks into its folders, too' }),
    });
  return Promise.all(
    files.map(async (file) => ({
      file,
      text: await readable(file, readFile(resolve(context.cwd, file), 'utf8')),
    })),
  );
}

async function filesAt(path: string, cwd: string, depth: number): Promise<string[]> {
  const found = await readable(path, stat(resolve(cwd, path)));
  if (!found.isDirectory()) return [path];
  if (depth === 0) return [];
  const entries = await readable(path, readdir(resolve(cwd, path), { withFileTypes: true }));
  const none: Promise<string[]> = Promise.resolve([]);
  const nested = await Promise.all(
    entries
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => {
        const below = join(path, entry.name);
        if (entry.isDirectory()) return depth > 1 ? filesAt(below, cwd, depth - 1) : none;
        return manifestFile.test(entry.name) ? Promise.resolve([below]) : none;
      }),
  );
  return nested.flat();
}

async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new CliError(`the path "${path}" does not exist`, { cause });
    if (code === 'EACCES') throw new CliError(`the path "${path}" may not be read by this user`, { cause });
    throw cause;
  }
}

async function readAll(input: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input)
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}
