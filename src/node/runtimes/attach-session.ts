import { PassThrough, type Writable } from 'node:stream';
import type { ContainerSpec, ExecSession } from '../container-runtime.ts';
import type { Attachment } from './output-fanout.ts';

/** The agent's end of a container's streams. */
export interface AttachableStreams {
  attach(): Attachment;
  stdin(): Promise<Writable>;
  /** Lets go of the standard input after what was written to it has been taken. */
  closeStdin(): Promise<void>;
}

export interface AttachRequest {
  readonly streams: AttachableStreams;
  readonly spec: ContainerSpec;
  readonly wantsStdin: boolean;
  readonly exited: Promise<number>;
  readonly closeShimStdin: () => void;
  readonly resize: (columns: number, rows: number) => void;
}

/** Joins a running container's streams; with `stdinOnce` the end of the session's input is the end of the container's. */
export async function attachSession(request: AttachRequest): Promise<ExecSession> {
  const { streams, spec } = request;
  const attachment = streams.attach();
  const stdin = request.wantsStdin && spec.stdin ? sessionInput(request, await streams.stdin()) : undefined;
  return {
    stdin,
    stdout: attachment.stdout,
    stderr: spec.tty ? undefined : attachment.stderr,
    exited: request.exited,
    resize: (columns, rows) => {
      if (spec.tty) request.resize(columns, rows);
    },
    close: () => {
      stdin?.end();
      attachment.detach();
    },
  };
}

function sessionInput({ streams, spec, closeShimStdin }: AttachRequest, target: Writable): Writable {
  const input = new PassThrough();
  input.pipe(target, { end: false });
  input.once('end', () => {
    if (spec.stdinOnce) void streams.closeStdin().then(closeShimStdin);
  });
  return input;
}
