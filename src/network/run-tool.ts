import { spawn } from 'node:child_process';
import { NetworkError } from './network-error.ts';

/** The environment in which tools run. */
export const toolEnvironment: NodeJS.ProcessEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
};

/**
 * Runs a short command with `input` as its standard input and gives its standard output. Throws `NetworkError`
 * `TOOL_MISSING` or `TOOL_FAILED` (with what the command wrote to standard error).
 */
export function runTool(file: string, args: readonly string[], input: string = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: [input === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: toolEnvironment,
      cwd: '/',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'ENOENT'
          ? new NetworkError('TOOL_MISSING', `${file} is not installed`, { cause })
          : new NetworkError('TOOL_FAILED', `cannot run ${file}: ${cause.message}`, { cause }),
      ),
    );
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else {
        const text = Buffer.concat(err).toString().trim() || `ended with ${signal ?? `code ${code}`}`;
        reject(new NetworkError('TOOL_FAILED', `${file}: ${text}`));
      }
    });
  });
}
