import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { PassThrough, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { RuntimeError, type ExecSession } from '../container-runtime.ts';
import { EndMark, markScript } from './end-mark.ts';

export interface SessionCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Gives it a session of its own, so that its process group can be signalled; a terminal always has one. */
  readonly detached?: true;
  readonly signal?: AbortSignal;
  /** A shell stands between a terminal and the command, so that no output is lost when the command ends: `pid` is the shell's. Without effect on Windows. */
  readonly guarded?: true;
  /** Output of a terminal that did not come through it; asked for once the command has ended. */
  readonly rest?: () => Promise<Buffer>;
  /** Ends what runs behind the process that was started here, when killing that alone is not enough. */
  readonly kill?: () => void | Promise<void>;
}

/** A session whose first process is one of this machine's. */
export interface ProcessSession extends ExecSession {
  readonly pid: number;
}

/** Starts a command of the host with pipes or a terminal and offers it as a session. */
export async function startSession(command: SessionCommand): Promise<ProcessSession> {
  const session = command.tty ? await terminalSession(command) : await pipedSession(command);
  const abort = (): void => session.close();
  if (command.signal?.aborted) abort();
  command.signal?.addEventListener('abort', abort, { once: true });
  void session.exited.finally(() => command.signal?.removeEventListener('abort', abort));
  return session;
}

async function pipedSession(command: SessionCommand): Promise<ProcessSession> {
  const child = spawn(command.file, command.args, {
    stdio: [command.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: command.env,
    cwd: command.cwd,
    detached: command.detached ?? false,
    windowsHide: true,
  });
  const exited = exitCodeOf(child);
  await Promise.race([once(child, 'spawn'), exited]);
  // A command may end without having read its input.
  child.stdin?.on('error', () => {});
  if (!child.stdout || !child.stderr || child.pid === undefined)
    throw new RuntimeError('FAILED', `cannot start ${command.file}`);
  return {
    pid: child.pid,
    stdin: child.stdin ?? undefined,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    resize: () => {},
    close: () => {
      // The launcher goes last: without it nobody learns which process it started.
      void Promise.resolve(command.kill?.()).then(() => child.kill('SIGKILL'));
    },
  };
}

/** The exit code as a shell says it; rejects when the program cannot be started. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(
        new RuntimeError('START_FAILED', `cannot start ${child.spawnfile}: ${cause.message}`, { cause }),
      ),
    );
    child.once('close', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 255)));
  });
}

async function terminalSession(command: SessionCommand): Promise<ProcessSession> {
  const { spawn: spawnTerminal } = await import('@lydell/node-pty');
  const guarded = command.guarded && process.platform !== 'win32';
  const secret = guarded ? randomBytes(12).toString('hex') : undefined;
  const line = [command.file, ...command.args];
  const [file = '', ...args] = secret === undefined ? line : ['/bin/sh', '-c', markScript, secret, ...line];
  const terminal = spawnTerminal(file, args, {
    name: 'xterm',
    cols: 80,
    rows: 24,
    env: { ...command.env, TERM: command.env.TERM ?? 'xterm' },
    cwd: command.cwd,
    encoding: null,
  });
  const stdout = new PassThrough();
  const mark = secret === undefined ? undefined : new EndMark(secret);
  let open = true;
  const exited = new Promise<number>((resolve) => {
    const end = async (code: number): Promise<void> => {
      if (!open) return;
      open = false;
      stdout.end(await command.rest?.());
      resolve(code);
    };
    terminal.onData((data: string | Buffer) => {
      if (!open) return;
      const { output, code } = mark?.take(Buffer.from(data)) ?? { output: data };
      const ready = output.length === 0 || stdout.write(output);
      if (code !== undefined) {
        void end(code);
        terminal.kill('SIGKILL');
      } else if (!ready) {
        terminal.pause();
        stdout.once('drain', () => terminal.resume());
      }
    });
    terminal.onExit(({ exitCode, signal }) => void end(signal ? 128 + signal : exitCode));
  });
  const decoder = new StringDecoder('utf8');
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (open) terminal.write(decoder.write(chunk));
      done();
    },
  });
  return {
    pid: terminal.pid,
    stdin: command.stdin ? stdin : undefined,
    stdout,
    stderr: undefined,
    exited,
    resize: (columns, rows) => {
      if (open && columns > 0 && rows > 0) terminal.resize(columns, rows);
    },
    close: () => {
      void Promise.resolve(command.kill?.()).then(() => {
        if (open) terminal.kill('SIGKILL');
      });
    },
  };
}
