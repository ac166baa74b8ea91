import { Writable, type Duplex, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { RuntimeError, type ExecSession } from '../../container-runtime.ts';
import { openStreaming } from './streaming.ts';

export interface RemoteSessionOptions {
  readonly url: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** What the session's user gets instead of what the stream says. */
  exitCode?(): Promise<number>;
  /** Ends what runs at the other end. */
  kill?(): void;
}

/** Joins a command or container through the runtime's streaming server (`v4.channel.k8s.io`). */
export async function remoteSession(options: RemoteSessionOptions): Promise<ExecSession> {
  const { tty } = options;
  const connection = await openStreaming(options.url, 'v4.channel.k8s.io');
  const open = async (streamType: string): Promise<Duplex> =>
    (await connection.open(new Map([['streamtype', streamType]]))).duplex;
  const error = await open('error');
  const stdin = options.stdin ? await open('stdin') : undefined;
  const stdout = await open('stdout');
  const stderr = tty ? undefined : await open('stderr');
  const resize = tty ? await open('resize') : undefined;
  for (const output of [error, stdout, stderr]) output?.end();
  stdin?.resume();
  resize?.resume();

  const said = readAll(error).then(outcomeOf);
  const exited = (async (): Promise<number> => {
    try {
      const code = await said;
      await Promise.all([ended(stdout), stderr && ended(stderr)]);
      return await (options.exitCode?.() ?? code);
    } finally {
      connection.close();
    }
  })();
  exited.catch(() => undefined);
  return {
    stdin: stdin && inputOf(stdin),
    stdout,
    stderr,
    exited,
    resize(columns, rows) {
      if (resize && !resize.destroyed) resize.write(JSON.stringify({ Width: columns, Height: rows }));
    },
    close() {
      if (options.kill) options.kill();
      else connection.destroy();
    },
  };
}

/** A command may end without having read its input: what is written then is lost, and no error. */
function inputOf(stream: Duplex): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (stream.destroyed || !stream.writable) done();
      else stream.write(chunk, () => done());
    },
    final(done) {
      stream.end();
      done();
    },
  });
}

async function ended(stream: Readable): Promise<void> {
  await finished(stream, { writable: false }).catch(() => undefined);
}

async function readAll(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    // The connection broke: what was said before counts.
  }
  return Buffer.concat(chunks).toString();
}

const failurePrefix =
  /^(?:Internal error occurred: )?error (?:executing command in|attaching to) container: /;

/** The exit code that a `Status` tells. Throws `START_FAILED` when the command did not run. */
function outcomeOf(text: string): number {
  if (text === '') throw new RuntimeError('FAILED', 'the connection to the container runtime broke');
  const status = parseStatus(text);
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (status.reason === 'NonZeroExitCode' && cause) return Number(cause.message);
  throw new RuntimeError('START_FAILED', (status.message ?? text).replace(failurePrefix, ''));
}

interface RemoteStatus {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[];
  };
}

function parseStatus(text: string): RemoteStatus {
  try {
    return JSON.parse(text) as RemoteStatus;
  } catch (error) {
    if (error instanceof SyntaxError) return { message: text };
    throw error;
  }
}
