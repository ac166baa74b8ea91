import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { sleep, type Clock } from '../../base/clock.ts';
import { isMissing } from './state-file.ts';

/** Sends a signal; a process that is gone is not an error. */
export function signalProcess(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Whether the process exists and has not only to be waited for. */
export function processExists(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** The ancestors of a process, nearest first. */
export async function ancestorsOf(pid: number): Promise<readonly number[]> {
  const ancestors: number[] = [];
  for (let current = pid; current > 1 && ancestors.length < 16;) {
    const stat = await readFile(`/proc/${current}/stat`, 'utf8').catch(() => '');
    current = Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2] ?? 0);
    if (current > 1) ancestors.push(current);
  }
  return ancestors;
}

/** How long a launcher may take to write down which process it started. */
const namingMs = 2_000;
const namingPollMs = 5;

/** The process that a file names; waits a moment for a launcher that is about to name it. */
export async function namedProcess(pidFile: string, clock: Clock): Promise<number | undefined> {
  const deadline = clock.monotonic() + namingMs;
  for (;;) {
    const pid = Number(readNow(pidFile));
    if (pid > 1) return pid;
    if (clock.monotonic() > deadline) return undefined;
    await sleep(clock, namingPollMs);
  }
}

/** Kills the process that a file names (or is about to), and what it started. */
export async function killNamed(pidFile: string, clock: Clock): Promise<void> {
  const pid = await namedProcess(pidFile, clock);
  if (pid !== undefined) killTree(pid);
}

function killTree(pid: number): void {
  const children = readNow(`/proc/${pid}/task/${pid}/children`).split(' ').map(Number);
  signalProcess(pid, constants.signals.SIGKILL);
  for (const child of children) if (child > 1) killTree(child);
}

function readNow(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

/** The number of a signal named `SIGQUIT`, `QUIT`, `SIGRTMIN+3` or `3`; SIGTERM's for a name that is unknown. */
export function signalNumber(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const full = name.toUpperCase().startsWith('SIG') ? name.toUpperCase() : `SIG${name.toUpperCase()}`;
  const realtime = /^SIGRT(MIN|MAX)([+-]\d+)?$/.exec(full);
  if (realtime) return (realtime[1] === 'MIN' ? 34 : 64) + Number(realtime[2] ?? 0);
  const known: Readonly<Record<string, number>> = constants.signals;
  return known[full] ?? constants.signals.SIGTERM;
}
