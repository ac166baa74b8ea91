import { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { describeResources } from '../describe-resources.ts';
import { filenameOption } from '../filename-option.ts';
import { withSession } from '../session.ts';

/** The flags of `kanoe describe` as commander parses them. */
export interface DescribeFlags extends ClusterFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly allNamespaces?: boolean;
  readonly showEvents: boolean;
}

/** `kanoe describe`: prints objects in detail, with the events about them. */
export function describeCommand(context: CliContext): Command {
  const command = new Command('describe')
    .description('print objects in detail, with their events: kanoe describe pod web-1')
    .argument('[type]', 'types, or TYPE/NAME')
    .argument('[name...]', 'names, or how they begin')
    .addOption(filenameOption('what to describe'))
    .option('-R, --recursive', 'look into the folders of folders')
    .option('-l, --selector <selector>', 'objects with these labels')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--show-events [show]', 'with the events', (text) => text !== 'false', true);
  return addClusterOptions(command).action(
    async (type: string | undefined, names: string[], flags: DescribeFlags) => {
      const args = type === undefined ? [] : [type, ...names];
      await withSession(context, flags, (session) => describeResources(context, session, { args, flags }));
    },
  );
}
