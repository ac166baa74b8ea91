import { pipeline } from 'node:stream/promises';
import type { Readable, Writable } from 'node:stream';
import type { Status } from '../../machinery/meta/v1.gen.ts';
import type { ExecSession } from '../container-runtime.ts';
import { exitStatus, failureStatus } from './remote-status.ts';

/** What the client asked for in the query of `exec` or `attach`. */
export interface RemoteOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The client's ends of a remote command, whatever protocol carries them. */
export interface RemoteStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Calls `listener` with each size of the client's terminal, the first one too. */
  onResize(listener: (columns: number, rows: number) => void): void;
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
  /** Sends how it ended and closes the connection once all output is out. */
  finish(status: Status): Promise<void>;
}

/** What is done in the container, and how it begins. */
export interface RemoteWork {
  readonly doing: 'executing command in' | 'attaching to';
  readonly start: () => Promise<ExecSession>;
}

/** Joins a client with a command that `start` begins, until the command ends or the client goes. Never rejects. */
export async function runRemoteCommand(streams: RemoteStreams, { doing, start }: RemoteWork): Promise<void> {
  let session: ExecSession;
  try {
    session = await start();
  } catch (error) {
    await streams.finish(failureStatus(doing, error)).catch(() => undefined);
    return;
  }
  const leave = (): void => session.close();
  streams.gone.addEventListener('abort', leave, { once: true });
  if (streams.gone.aborted) leave();
  streams.onResize((columns, rows) => session.resize(columns, rows));
  if (streams.stdin && session.stdin) void carryInput(streams.stdin, session.stdin);
  const outputs = [carryOutput(session.stdout, streams.stdout), carryOutput(session.stderr, streams.stderr)];
  try {
    const [code] = await Promise.all([session.exited, ...outputs]);
    // Whoever attached only watched: how the container ended is said by the pod's status.
    await streams.finish(exitStatus(doing === 'attaching to' ? 0 : code));
  } catch (error) {
    await streams.finish(failureStatus(doing, error)).catch(() => undefined);
  } finally {
    streams.gone.removeEventListener('abort', leave);
  }
}

/** A command that closes its input early is in order. */
async function carryInput(from: Readable, to: Writable): Promise<void> {
  await pipeline(from, to).catch(() => {
    from.resume();
  });
}

/** Output that the client did not ask for, or is too far gone to take, is read and dropped: the command must not block. */
async function carryOutput(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (!from) return;
  if (!to) {
    from.resume();
    return;
  }
  await pipeline(from, to, { end: false }).catch(() => void from.resume());
}
