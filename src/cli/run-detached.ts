import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { checkClusterName } from '../cluster/cluster-record.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { UpFlags } from './commands/up.ts';
import { createProgress } from './progress.ts';

/** What the process in the background tells the one that started it. */
export type BackgroundMessage =
  | { readonly type: 'step' | 'line' | 'warn'; readonly text: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string; readonly exitCode: number };

/** Starts the same command in a process of its own session, shows its progress, and returns once it is ready. */
export async function runDetached(context: CliContext, flags: UpFlags): Promise<void> {
  checkClusterName(flags.name);
  const logFolder = join(context.home.directory, 'logs');
  await mkdir(logFolder, { recursive: true, mode: 0o700 });
  const logFile = join(logFolder, `${flags.name}.log`);
  const log = await open(logFile, 'a', 0o600);
  const progress = createProgress(context);
  const manifestsFromStdin = flags.filename?.includes('-') ?? false;
  const child = spawn(
    process.execPath,
    [context.program.main, ...upArguments(flags), '--started-at', String(context.startedAt)],
    {
      cwd: context.cwd,
      env: context.env,
      detached: true,
      stdio: [manifestsFromStdin ? 'inherit' : 'ignore', log.fd, log.fd, 'ipc'],
    },
  );
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        reject(
          new CliError(`the cluster's process ended (${signal ?? `exit code ${code}`}) before it was ready`, {
            hint: `its log: ${logFile}`,
          }),
        );
      });
      child.on('message', (message: BackgroundMessage) => {
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
}

/** The flags again as arguments, without `--detach`. */
function upArguments(flags: UpFlags): string[] {
  const values: readonly (readonly [string, string | number | undefined])[] = [
    ['--name', flags.name],
    ['--data-dir', flags.dataDir],
    ['--port', flags.port],
    ['--nodes', flags.nodes],
    ['--controllers', flags.controllers],
    ['--service-cidr', flags.serviceCidr],
    ['--pod-cidr', flags.podCidr],
    ['--runtime', flags.runtime],
    ['--kubeconfig', flags.kubeconfig],
    ['--timeout', flags.timeout],
  ];
  return [
    'up',
    '--detach',
    ...values.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
    ...(flags.filename ?? []).flatMap((path) => ['-f', path]),
    ...(flags.load ?? []).flatMap((path) => ['--load', path]),
    ...[...(flags.mirror ?? [])].flatMap(([host, url]) => ['--mirror', `${host}=${url}`]),
    ...(flags.wait ? ['--wait'] : []),
  ];
}
