import { Command, Option } from 'commander';
import { clusterStatus } from '../../cluster/cluster-status.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { nameOption } from '../name-option.ts';
import { structuredText } from '../structured-text.ts';

/** `kanoe status`: whether a cluster runs and how it does; exit code 3 when it does not run. */
export function statusCommand(context: CliContext): Command {
  return new Command('status')
    .description(
      'say whether the cluster runs, how it started, and what it cannot do here (exit code 3: stopped)',
    )
    .addOption(nameOption())
    .addOption(new Option('-o, --output <format>', 'machine-readable output').choices(['json', 'yaml']))
    .action(async ({ name, output }: { name: string; output?: 'json' | 'yaml' }) => {
      const status = await clusterStatus(context.home, name);
      if (output) {
        context.stdout.write(await structuredText(status, output));
      } else {
        const times = Object.entries(status.startup).map(
          ([stage, ms]) => `${stage.replace(/Ms$/, '')} ${ms} ms`,
        );
        const rows: (readonly [string, string | undefined])[] = [
          ['Name', status.name],
          ['State', status.ready ? 'running' : `${status.state}${status.reason ? `: ${status.reason}` : ''}`],
          ['Server', status.server],
          ['Version', status.version],
          ['Context', status.context],
          ['Process', status.pid === undefined ? undefined : String(status.pid)],
          [
            'Nodes',
            status.nodes?.map((node) => `${node.name} (${node.ready ? 'Ready' : 'NotReady'})`).join(', '),
          ],
          ['Runtime', status.runtime],
          ['Networks', `pods ${status.podCidr}, services ${status.serviceCidr}`],
          ['Ingress', status.ingress?.join(', ')],
          ['Data', status.dataDirectory],
          ['Log', status.logFile],
          ['Start', times.join(', ')],
        ];
        for (const [label, value] of rows)
          if (value) context.stdout.write(`${`${label}:`.padEnd(10)} ${value}\n`);
        for (const limitation of status.limitations)
          context.stdout.write(`${'Note:'.padEnd(10)} ${limitation}\n`);
      }
      if (status.state === 'stopped') throw new CliError('', { exitCode: 3 });
    });
}
