import { Command } from 'commander';
import { chooseContainer } from '../choose-container.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { execInContainer } from '../exec-in-container.ts';
import { podsOf } from '../pods-of.ts';
import { withSession } from '../session.ts';

interface ExecFlags extends ClusterFlags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly container?: string;
}

/** `kanoe exec`: runs a command in a container, and ends with its exit code. */
export function execCommand(context: CliContext): Command {
  const command = new Command('exec')
    .description('run a command in a container: kanoe exec web-1 -- ls -l, kanoe exec -it deploy/web -- sh')
    .argument('<pod>', 'a pod, or TYPE/NAME of what has pods')
    .argument('<command...>', 'what to run; after --')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'in a terminal')
    .option('-c, --container <name>', 'a container of the pod');
  return addClusterOptions(command).action(async (pod: string, words: string[], flags: ExecFlags) => {
    const code = await withSession(context, flags, async (session) => {
      const [found] = (await podsOf(session, pod)).pods;
      const { phase } = found.status ?? {};
      if (phase === 'Succeeded' || phase === 'Failed')
        throw new CliError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
      const container = chooseContainer(context, found, flags.container);
      return execInContainer(context, session.connection, {
        target: { namespace: session.namespace, pod: found.metadata.name, container },
        command: words,
        stdin: flags.stdin === true,
        tty: flags.tty === true,
      });
    });
    if (code !== 0) throw new CliError(`command terminated with exit code ${code}`, { exitCode: code });
  });
}
