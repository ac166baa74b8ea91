import type { ContainerSpec, ExecOptions } from '../../container-runtime.ts';
import type { OciConfig } from './oci-config.ts';

export interface LaunchPlan {
  readonly id: string;
  /** The container's folder: `rootfs`, `config.json`, `runtime.log`. */
  readonly folder: string;
  /** Where the process id of the container's first process must appear once it runs. */
  readonly pidFile: string;
  readonly config: OciConfig;
}

export interface RunningContainer {
  readonly id: string;
  readonly folder: string;
  readonly pid: number;
  readonly shimPid: number;
  /** Its root file system has a place in its wrapper's mount namespace only. */
  readonly ownUsers: boolean;
}

/** The program that starts containers. */
export interface Launcher {
  readonly name: 'crun' | 'runc' | 'util-linux';
  readonly version: string;
  readonly limitations: readonly string[];
  /** Whether processes enter the container's cgroup before the launcher runs; else the launcher is told its path. */
  readonly joinsCgroup: boolean;
  /** The program whose `delete` removes the container after its end; undefined when nothing is left. */
  readonly deleteProgram: string | undefined;
  /** A mount that the launcher must not see. */
  readonly hiddenMount: string | undefined;
  /** Writes what the launcher reads; gives the command that runs the container in the foreground and ends with its code. */
  prepare(plan: LaunchPlan): Promise<readonly string[]>;
  /** The command that runs another one inside the container; `pidFile` names the process to kill. */
  exec(container: RunningContainer, options: ExecOptions, pidFile: string): Promise<ExecCommand>;
}

export interface ExecCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where the launcher says why the command could not be started; without it, on standard error. */
  readonly logFile?: string;
}

/** How long a terminal stays open after its program, in seconds: `script` takes no more than 10 ms for what it still holds. */
const lingerSeconds = 0.1;

/** The command line that a terminal needs around the container's: its pseudo terminal must outlive the agent. */
export function withTerminal(command: readonly string[]): readonly string[] {
  const line = command.map(shellQuote).join(' ');
  // What is typed to interrupt the program is not for the shell that waits for it.
  return [
    'script',
    '-qfec',
    `trap : INT QUIT; ${line}; code=$?; sleep ${lingerSeconds}; exit $code`,
    '/dev/null',
  ];
}

/** Whether a container's standard input is held open: a terminal passes its end on as a character, which would be shown. */
export function holdsStdin({ stdin, tty }: Pick<ContainerSpec, 'stdin' | 'tty'>): boolean {
  return stdin || tty;
}

export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
