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
  const table = await readMountTable();
  return table
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .reverse();
}

async function readMountTable(): Promise<string> {
  try {
    return await readFile('/proc/self/mountinfo', 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
