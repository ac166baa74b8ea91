import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Home } from '../cluster/home.ts';

/** A terminal's input: the part of `tty.ReadStream` that raw mode needs. */
export interface TerminalInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
}

/** A terminal's output: the part of `tty.WriteStream` that sizes and resizing need. */
export interface TerminalOutput extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Everything a command knows of the world outside; `bin/` fills it from the process, tests from buffers. */
export interface CliContext {
  /** The words of the command line after the program's name. */
  readonly argv: readonly string[];
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
  readonly stderr: TerminalOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Working directory, absolute. */
  readonly cwd: string;
  readonly clock: Clock;
  readonly home: Home;
  /** Whether output may be coloured: a terminal, and `NO_COLOR` not set. */
  readonly colour: boolean;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** When this process began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The files of the installed program. */
  readonly program: ProgramFiles;
  /** Messages to and from the process that started this one in the background; absent otherwise. */
  readonly parent?: ParentChannel;
}

export interface ProgramFiles {
  /** The JavaScript file that `node` runs. */
  readonly main: string;
  /** Unpacks one image layer (`bin/unpack.ts`). */
  readonly unpack: string;
  /** DNS and the user-space proxy (`bin/network-worker.ts`). */
  readonly networkWorker: string;
  readonly ingressWorker: string;
  /** Custom resources' rules that take long (`bin/rules-worker.ts`). */
  readonly rulesWorker: string;
  /** Kanoe's own version. */
  readonly version: string;
}

export interface ParentChannel {
  send(message: object): void;
  close(): void;
}
