import { Command, Option } from 'commander';
import { isRunning, listRecords } from '../../cluster/cluster-record.ts';
import { contextName } from '../../cluster/context-name.ts';
import { alignColumns } from '../../printers/align-columns.ts';
import type { CliContext } from '../cli-context.ts';
import { structuredText } from '../structured-text.ts';

/** `kanoe list`: the clusters of this person, running or not. */
export function listCommand(context: CliContext): Command {
  return new Command('list')
    .alias('ls')
    .description('list the clusters, running and stopped')
    .addOption(new Option('-o, --output <format>', 'machine-readable output').choices(['json', 'yaml']))
    .action(async ({ output }: { output?: 'json' | 'yaml' }) => {
      const records = await listRecords(context.home);
      const clusters = await Promise.all(
        records.map(async (record) => {
          const running = await isRunning(record);
          return {
            name: record.name,
            state: running ? 'running' : 'stopped',
            ...(running && record.server && { server: record.server }),
            context: contextName(record.name),
            dataDirectory: record.dataDirectory,
          };
        }),
      );
      if (output) {
        context.stdout.write(await structuredText({ clusters }, output));
        return;
      }
      if (clusters.length === 0) {
        context.stderr.write('no clusters; `kanoe up` makes one\n');
        return;
      }
      const rows = clusters.map(({ name, state, server, context: kubeContext, dataDirectory }) => [
        name,
        state,
        server ?? '-',
        kubeContext,
        dataDirectory,
      ]);
      context.stdout.write(alignColumns([['NAME', 'STATE', 'SERVER', 'CONTEXT', 'DATA'], ...rows]));
    });
}
