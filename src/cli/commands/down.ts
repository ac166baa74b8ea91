import { Command } from 'commander';
import { stopCluster } from '../../cluster/stop-cluster.ts';
import type { CliContext } from '../cli-context.ts';
import { nameOption } from '../name-option.ts';
import { createProgress } from '../progress.ts';

/** `kanoe down`: stops a cluster and removes everything of it but its data. */
export function downCommand(context: CliContext): Command {
  return new Command('down')
    .description('stop the cluster; its data stays, unless --purge is given')
    .addOption(nameOption())
    .option('--purge', 'delete the data directory and the record of the cluster, too')
    .action(async ({ name, purge }: { name: string; purge?: boolean }) => {
      const progress = createProgress(context);
      progress.step(`stopping cluster ${name} …`);
      const outcome = await stopCluster({
        home: context.home,
        name,
        clock: context.clock,
        data: purge ? 'delete' : 'keep',
      });
      progress.done();
      const what = outcome.wasRunning ? 'stopped' : 'was not running';
      context.stdout.write(
        `cluster ${name} ${what}${purge ? '; its data is deleted' : `; its data stays in ${outcome.dataDirectory}`}\n`,
      );
    });
}
