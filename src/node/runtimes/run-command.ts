import { spawn } from 'node:child_process';
import { RuntimeError } from '../container-runtime.ts';

/** Where a node's tools are looked for; the caller's own PATH does not matter. */
export const toolPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a short command to its end and gives its standard output; throws `RuntimeError` `FAILED` with its error output. */
export function runCommand(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: toolPath, LC_ALL: 'C' },
      cwd: '/',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', (cause) =>
      reject(new RuntimeError('FAILED', `cannot run ${file}: ${cause.message}`, { cause })),
    );
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else {
        const text = Buffer.concat(err).toString().trim() || `ended with ${signal ?? `code ${code}`}`;
        reject(new RuntimeError('FAILED', `${file}: ${text}`));
      }
    });
  });
}
