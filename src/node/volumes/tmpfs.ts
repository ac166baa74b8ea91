import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isMissing } from '../missing-file.ts';

const run = promisify(execFile);

/** Mounts a tmpfs at `path`; false where that is not allowed. Idempotent. */
export async function mountTmpfs(path: string, sizeBytes: bigint | undefined): Promise<boolean> {
  await mkdir(path, { recursive: true });
  if (process.platform !== 'linux') return false;
  if ((await mountPoints(path)).includes(path)) return true;
  const options = `mode=0777${sizeBytes === undefined ? '' : `,size=${sizeBytes}`}`;
  try {
    await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
    return true;
  } catch {
    return false;
  }
}

/** Unmounts everything mounted at or below `path`, deepest first. */
export async function unmountBelow(path: string): Promise<void> {
  for (const point of await mountPoints(path)) await run('umount', ['-l', point]);
}

/** What is mounted at or below `path`, deepest first. */
export async function mountPoints(path: string): Promise<readonly string[]> {
  return (await readMountTable())
    .map(({ point }) => point)
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .toReversed();
}

/** One mount of this process's namespace. */
export interface MountEntry {
  readonly point: string;
  /** Whether mounts below it are seen in other namespaces that have it. */
  readonly shared: boolean;
}

/** The mounts of this process's namespace, in the order in which they were made; none where the kernel has no such table. */
export async function readMountTable(): Promise<readonly MountEntry[]> {
  return (await mountTable())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [own = ''] = line.split(' - ');
      const [, , , , point = '', , ...optional] = own.split(' ');
      return { point: unescaped(point), shared: optional.some((field) => field.startsWith('shared:')) };
    });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

async function mountTable(): Promise<string> {
  try {
    return await readFile('/proc/self/mountinfo', 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
