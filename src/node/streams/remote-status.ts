import type { Status } from '../../machinery/meta/v1.gen.ts';

/** How a remote command ended, as protocol v4 and later send it on the error stream. */
export function exitStatus(code: number): Status {
  if (code === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

/** A command that could not be run at all, or a container that cannot be attached to. */
export function failureStatus(doing: 'executing command in' | 'attaching to', error: unknown): Status {
  const cause = `error ${doing} container: ${error instanceof Error ? error.message : String(error)}`;
  return {
    metadata: {},
    status: 'Failure',
    reason: 'InternalError',
    code: 500,
    message: `Internal error occurred: ${cause}`,
    details: { causes: [{ message: cause }] },
  };
}
