import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkClusterName } from '../cluster/cluster-record.ts';
import { prepareHome } from '../cluster/home.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import { createProgress } from './progress.ts';

/** What the process in the background tells the one that started it. */
export type BackgroundMessage =
  | { readonly type: 'step' | 'line' | 'warn'; readonly text: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string; readonly exitCode: number };

/** What starting in the background needs of the world outside. */
export type DetachContext = Pick<
  CliContext,
  'argv' | 'stdout' | 'stderr' | 'env' | 'cwd' | 'home' | 'colour' | 'signal' | 'startedAt' | 'program'
>;

/** From how many simulated nodes on objects are made faster than a small young generation can forget them. */
const MANY_NODES = 100;

/** With many simulated nodes half of the time would go into collecting garbage, unless the engine may wait longer with it. */
function engineOptions(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word) => word.startsWith('--nodes-simulated'));
  const count = argv[at]?.split('=')[1] ?? argv[at + 1];
  return at >= 0 && Number(count) >= MANY_NODES ? ['--max-semi-space-size=64'] : [];
}

/**
 * Runs the same command line in a process of a session of its own, shows its progress, and returns once the cluster is
 * ready. What that process says that is not progress goes to the cluster's log file.
 */
export async function runDetached(context: DetachContext): Promise<void> {
  const name = clusterNameOf(context.argv);
  checkClusterName(name);
  await prepareHome(context.home);
  const logFile = join(context.home.directory, 'logs', `${name}.log`);
  const log = await open(logFile, 'a', 0o600);
  const logStart = (await log.stat()).size;
  const progress = createProgress(context);
  const child = spawn(
    process.execPath,
    [
      ...engineOptions(context.argv),
      context.program.main,
      ...context.argv,
      '--started-at',
      String(context.startedAt),
    ],
    {
      cwd: context.cwd,
      env: context.env,
      detached: true,
      stdio: [context.argv.includes('-') ? 'inherit' : 'ignore', log.fd, log.fd, 'ipc'],
    },
  );
  try {
    await new Promise<void>((resolve, reject) => {
      let concluded = false;
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        const judge = (): void => {
          if (!concluded) void earlyEnd(signal ?? `exit code ${code}`, code ?? 1).then(resolve, reject);
        };
        // Its last message may not have been read yet.
        if (child.connected) child.once('disconnect', judge);
        else judge();
      });
      child.on('message', (message: BackgroundMessage) => {
        concluded ||= message.type === 'ready' || message.type === 'failed';
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed')
          reject(new CliError(message.message, { exitCode: message.exitCode }));
        else progress[message.type](message.text);
      });
      context.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    });
  } finally {
    progress.done();
    await log.close();
    if (child.connected) child.disconnect();
    child.unref();
  }

  /** A process that ended without a word of its own has written why: wrong usage, help, or a crash. */
  async function earlyEnd(how: string, exitCode: number): Promise<void> {
    const said = (await readFile(logFile)).subarray(logStart).toString();
    (exitCode === 0 ? context.stdout : context.stderr).write(said);
    if (exitCode === 2) throw new CliError('', { exitCode });
    if (exitCode !== 0)
      throw new CliError(`the cluster's process ended (${how}) before it was ready`, {
        hint: `its log: ${logFile}`,
      });
  }
}

function clusterNameOf(argv: readonly string[]): string {
  for (const [at, word] of argv.entries()) {
    if (word === '--name') return argv[at + 1] ?? '';
    if (word.startsWith('--name=')) return word.slice('--name='.length);
  }
  return 'kanoe';
}
