import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { RuntimeError, type ExecOptions, type ExecSession } from '../../container-runtime.ts';
import { startSession } from '../exec-session.ts';
import { killNamed, namedProcess } from '../processes.ts';
import { execFailure } from './failure-message.ts';
import type { Launcher, RunningContainer } from './launcher.ts';
import { terminalSizer } from './resize-terminal.ts';
import { joinScript } from './shim-script.ts';
import { terminalRest } from './terminal-rest.ts';

export interface ExecPlace {
  readonly launcher: Launcher;
  readonly container: RunningContainer;
  /** What the command's process writes its id to, to be in the container's cgroups. */
  readonly joinFiles: readonly string[];
  readonly clock: Clock;
}

/** Runs a command in a container that runs; `exited` rejects with `START_FAILED` when the command could not be started. */
export async function execInContainer(
  { launcher, container, joinFiles, clock }: ExecPlace,
  options: ExecOptions,
): Promise<ExecSession> {
  const pidFile = join(container.folder, `exec-${randomBytes(6).toString('hex')}.pid`);
  const command = await launcher.exec(container, options, pidFile);
  const { logFile } = command;
  const session = await startSession({
    file: '/bin/sh',
    args: ['-c', joinScript, 'exec', String(joinFiles.length), ...joinFiles, ...command.args],
    env: command.env,
    cwd: '/',
    tty: options.tty,
    stdin: options.stdin,
    ...(options.signal ? { signal: options.signal } : {}),
    guarded: true,
    kill: () => killNamed(pidFile, clock),
    ...(logFile !== undefined && launcher.name === 'crun' && { rest: () => terminalRest(logFile) }),
  });
  const exited = session.exited.then(async (code) => {
    const failure = code !== 0 && logFile ? await execFailure(logFile) : undefined;
    if (failure) throw new RuntimeError('START_FAILED', failure);
    return code;
  });
  const files = [pidFile, ...(logFile ? [logFile] : [])];
  void exited.catch(() => {}).then(() => Promise.all(files.map((file) => rm(file, { force: true }))));
  // crun passes on the size that a terminal has at the start, and no later one.
  const resizeInside = terminalSizer(() => namedProcess(pidFile, clock));
  return {
    ...session,
    exited,
    resize(columns, rows) {
      if (!options.tty) return;
      session.resize(columns, rows);
      resizeInside(columns, rows);
    },
  };
}
