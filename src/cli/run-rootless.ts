import { readRecord } from '../cluster/cluster-record.ts';
import { rootlessVariable, superviseRootless, whyNotRootless } from '../cluster/rootless/rootless.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { UpFlags } from './up-flags.ts';

/** Whether the cluster is to run in namespaces of its own: containers without root, where the kernel allows it. */
export async function wantsNamespaces(context: CliContext, flags: UpFlags): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() === 0) return false;
  if (context.env[rootlessVariable] !== undefined || flags.nodes === 0) return false;
  if (flags.runtime !== 'auto' && flags.runtime !== 'native') return false;
  const hindrance = whyNotRootless();
  if (hindrance === undefined) return true;
  if (flags.runtime === 'native')
    throw new CliError(
      `--runtime native cannot work here: you are not root, and user namespaces cannot be used: ${hindrance}`,
      {
        hint: 'sysctl user.max_user_namespaces (and kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns) say whether they are allowed; --runtime process needs none',
      },
    );
  context.stderr.write(`containers run as plain processes: user namespaces cannot be used: ${hindrance}\n`);
  return false;
}

const defaultPort = 6443;

/** Starts the same command line inside namespaces and stays with it. */
export async function runRootless(context: CliContext, flags: UpFlags): Promise<void> {
  const { parent, program, argv, env, signal, home } = context;
  const last = (await readRecord(home, flags.name))?.server;
  const ports =
    flags.port === undefined
      ? [...(last === undefined ? [] : [Number(new URL(last).port)]), defaultPort, 0]
      : [flags.port];
  try {
    const exitCode = await superviseRootless({
      command: [process.execPath, program.main, ...argv],
      ports,
      home: home.directory,
      name: flags.name,
      env,
      clock: context.clock,
      signal,
      warn: (text) => void context.stderr.write(`${text}\n`),
      hear: (message) => {
        parent?.send(message);
        if (message.type === 'ready' || message.type === 'failed') parent?.close();
      },
    });
    if (exitCode !== 0) throw new CliError('', { exitCode });
  } catch (error) {
    if (error instanceof Error && !(error instanceof CliError && error.message === ''))
      parent?.send({ type: 'failed', message: error.message, exitCode: 1 });
    throw error;
  } finally {
    parent?.close();
  }
}
