import type { Readable } from 'node:stream';
import type { ContainerRuntime } from '../container-runtime.ts';

const MAX_OUTPUT_BYTES = 10 * 1024;

/** Runs a command in a container to its end; keeps the first 10 KiB of its output. Killed when the signal aborts. */
export async function runCommand(options: {
  readonly runtime: ContainerRuntime;
  readonly containerId: string;
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}): Promise<{ readonly exitCode: number; readonly output: string }> {
  const { runtime, containerId, command, signal } = options;
  const session = await runtime.exec(containerId, { command, tty: false, stdin: false, signal });
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = (stream: Readable | undefined): void => {
    stream?.on('error', () => undefined);
    stream?.on('data', (chunk: Buffer) => {
      if (size < MAX_OUTPUT_BYTES) chunks.push(chunk);
      size += chunk.length;
    });
  };
  collect(session.stdout);
  collect(session.stderr);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    const exitCode = await Promise.race([session.exited, aborted]);
    return { exitCode, output: Buffer.concat(chunks).subarray(0, MAX_OUTPUT_BYTES).toString('utf8') };
  } finally {
    if (signal.aborted) session.close();
  }
}
