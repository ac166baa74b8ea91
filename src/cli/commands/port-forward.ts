import { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { forwardPorts } from '../forward-ports.ts';
import { withSession } from '../session.ts';

interface PortForwardFlags extends ClusterFlags {
  readonly address: string;
}

/** `kanoe port-forward`: makes ports of a pod answer on this machine. */
export function portForwardCommand(context: CliContext): Command {
  const command = new Command('port-forward')
    .description('forward local ports to a pod until interrupted: kanoe port-forward svc/web 8080:80')
    .argument('<pod>', 'a pod, or TYPE/NAME of what has pods')
    .argument(
      '<port...>',
      'LOCAL:REMOTE, PORT for both, or :REMOTE for a free local one; REMOTE may be a name',
    )
    .option('--address <addresses>', 'addresses to listen on, separated by commas', 'localhost');
  return addClusterOptions(command).action(async (pod: string, ports: string[], flags: PortForwardFlags) => {
    await withSession(context, flags, (session) =>
      forwardPorts(context, session, { target: pod, ports, addresses: flags.address.split(',') }),
    );
  });
}
