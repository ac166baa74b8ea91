import { RuntimeError, type ContainerRuntime } from '../container-runtime.ts';
import { goDuration } from '../go-duration.ts';
import { failure, success, type ProbeResult } from './probe-result.ts';
import { runCommand } from './run-command.ts';

/** Runs a command inside the container: exit code 0 is success. When the signal aborts it fails; nobody waits for it then. */
export async function execProbe(options: {
  readonly runtime: ContainerRuntime;
  readonly containerId: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<ProbeResult> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([timeout, options.signal]);
  try {
    const { exitCode, output } = await runCommand({ ...options, signal });
    if (timeout.aborted) return timedOut(options);
    return exitCode === 0 ? success(output) : failure(output);
  } catch (error) {
    if (timeout.aborted) return timedOut(options);
    if (error instanceof RuntimeError) return failure(error.message);
    if (options.signal.aborted) return failure('the probe was ended');
    throw error;
  }
}

function timedOut(options: { readonly command: readonly string[]; readonly timeoutMs: number }): ProbeResult {
  return failure(
    `command timed out: "${options.command.join(' ')}" timed out after ${goDuration(options.timeoutMs)}`,
  );
}
