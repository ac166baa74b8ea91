import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

/** How a command ended. */
export interface Outcome {
  /** 128 + the signal's number when a signal ended it, as a shell says. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard input; nothing when absent. */
  readonly input?: string | Buffer;
  /** After it the command is killed and the promise rejects. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 120_000;
const signals: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a command to its end, whatever its exit code. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await runBytes(file, args, options);
  return { ...outcome, stdout: outcome.stdout.toString() };
}

/** As `run`, with the output as bytes. */
export function runBytes(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Omit<Outcome, 'stdout'> & { readonly stdout: Buffer }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: options.env ?? process.env, cwd: options.cwd });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `${commandLine(file, args)} did not end in ${timeoutMs} ms\n${Buffer.concat([...stdout, ...stderr]).toString()}`,
        ),
      );
    }, timeoutMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? 128 + (signals[signal ?? ''] ?? 0),
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}

/** Runs a command that must succeed and gives its standard output. */
export async function must(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(file, args, options);
  if (code !== 0) throw new Error(`${commandLine(file, args)}: exit code ${code}\n${stderr}${stdout}`);
  return stdout;
}

/** A command that goes on by itself. */
export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  /** Everything written so far, standard output and standard error. */
  output(): string;
  /** Resolves once the output matches; rejects when the command ends first or after `timeoutMs`. */
  printed(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Resolves to the exit code. */
  readonly ended: Promise<number>;
  /** Ends it with SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts a command that is watched while it runs. */
export function start(file: string, args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(file, args, { env: options.env ?? process.env, cwd: options.cwd });
  let text = '';
  let done = false;
  const checks = new Set<() => void>();
  const heard = (chunk: Buffer): void => {
    text += chunk.toString();
    for (const check of checks) check();
  };
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      done = true;
      for (const check of checks) check();
      resolve(code ?? 128 + (signals[signal ?? ''] ?? 0));
    });
  });
  ended.catch(() => undefined);
  return {
    process: child,
    ended,
    output: () => text,
    printed: (pattern, timeoutMs = 30_000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void =>
          reject(new Error(`${commandLine(file, args)} ${why} before it printed ${pattern}:\n${text}`));
        const timer = setTimeout(() => settle(() => fail(`ran ${timeoutMs} ms`)), timeoutMs);
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          checks.delete(check);
          act();
        };
        const check = (): void => {
          const match = pattern.exec(text);
          if (match) settle(() => resolve(match));
          else if (done) settle(() => fail('ended'));
        };
        checks.add(check);
        check();
      }),
    async stop() {
      if (!done) child.kill('SIGTERM');
      await ended;
    },
  };
}

function commandLine(file: string, args: readonly string[]): string {
  return [file.replace(/.*\//, ''), ...args].join(' ').slice(0, 300);
}
