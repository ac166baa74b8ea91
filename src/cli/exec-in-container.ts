import { PassThrough } from 'node:stream';
import type { Connection } from '../client/connection.ts';
import { exec, type ContainerRef, type TerminalSize } from '../client/streams.ts';
import type { CliContext } from './cli-context.ts';

export interface ExecRequest {
  readonly target: ContainerRef;
  readonly command: readonly string[];
  /** Whether standard input is passed on. */
  readonly stdin: boolean;
  /** Whether the command gets a terminal. */
  readonly tty: boolean;
}

/** Runs a command in a container on this person's terminal or pipes; resolves to its exit code. Throws `StatusError`. */
export async function execInContainer(
  context: CliContext,
  connection: Connection,
  { target, command, stdin, tty: wantsTerminal }: ExecRequest,
): Promise<number> {
  const terminal = context.stdin.isTTY === true;
  if (wantsTerminal && stdin && !terminal)
    context.stderr.write('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const tty = wantsTerminal && (terminal || !stdin);
  const input = stdin ? new PassThrough() : undefined;
  if (tty && stdin) context.stdin.setRawMode?.(true);
  if (input) context.stdin.pipe(input);
  try {
    return await exec(connection, target, {
      command,
      tty,
      stdout: context.stdout,
      signal: context.signal,
      ...(!tty && { stderr: context.stderr }),
      ...(input && { stdin: input }),
      ...(tty && { onTerminal: (resize) => followSize(context, resize) }),
    });
  } finally {
    if (input) {
      context.stdin.unpipe(input);
      // A paused input no longer keeps the process alive.
      context.stdin.pause();
    }
    if (tty && stdin) context.stdin.setRawMode?.(false);
  }
}

function followSize({ stdout }: CliContext, resize: (size: TerminalSize) => void): void {
  const tell = (): void => {
    const { columns, rows } = stdout;
    if (columns && rows) resize({ columns, rows });
  };
  tell();
  stdout.on('resize', tell);
}
