import { join } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import type { ContainerSpec, ContainerStatus, ExecSession } from '../../container-runtime.ts';
import { runCommand } from '../run-command.ts';
import { readIfPresent } from '../state-file.ts';
import type { ContainerStreams } from './container-streams.ts';
import type { ContainerRecord } from './records.ts';

/** How far a container has come. */
export interface Progress {
  readonly state: 'created' | 'running' | 'exited';
  readonly pid?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
}

export function statusOf(record: ContainerRecord, progress: Progress): ContainerStatus {
  const { spec } = record;
  const { pid, ...rest } = progress;
  return {
    id: record.id,
    sandboxId: record.sandboxId,
    podUid: record.podUid,
    name: spec.name,
    attempt: spec.attempt,
    image: spec.image,
    imageId: spec.imageId,
    createdAt: record.createdAt,
    logPath: spec.logPath,
    labels: spec.labels,
    annotations: spec.annotations,
    ...rest,
    ...(pid !== undefined && progress.state === 'running' ? { pid } : {}),
  };
}

/** What the launcher said when the container could not start. */
export async function failureMessage(folder: string): Promise<string> {
  const log = (await readIfPresent(join(folder, 'runtime.log')))?.trim() ?? '';
  const [line = ''] = log.split('\n').filter(Boolean).toReversed();
  const message = line.startsWith('{') ? messageOf(line) : line;
  return `failed to create containerd task: failed to create shim task: OCI runtime create failed: ${message || 'the runtime ended without a message'}: unknown`;
}

function messageOf(line: string): string {
  const { msg } = JSON.parse(line) as { readonly msg?: string };
  const missing = /executable file [`"]?([^`"']+)[`"']? not found/.exec(msg ?? '');
  return missing
    ? `unable to start container process: exec: "${missing[1]}": executable file not found in $PATH`
    : (msg ?? line);
}

export interface AttachRequest {
  readonly streams: ContainerStreams;
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

/** Sets the size of the terminal that is a process's standard input. */
export function resizeTerminal(pid: number | undefined, columns: number, rows: number): void {
  if (pid === undefined || columns <= 0 || rows <= 0) return;
  runCommand('stty', ['-F', `/proc/${pid}/fd/0`, 'cols', String(columns), 'rows', String(rows)]).catch(
    () => {},
  );
}
