import { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { durationArgument } from '../flag-values.ts';
import { filenameOption } from '../filename-option.ts';
import { withSession } from '../session.ts';
import { waitForResources } from '../wait-for-resources.ts';

/** The flags of `kanoe wait` as commander parses them. */
export interface WaitFlags extends ClusterFlags {
  readonly for: string;
  /** Milliseconds; negative: a week. */
  readonly timeout: number;
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
}

/** `kanoe wait`: returns when objects are in a state. */
export function waitCommand(context: CliContext): Command {
  const command = new Command('wait')
    .description('wait for a state: kanoe wait --for=condition=Ready pod -l app=web, --for=delete pod/web')
    .argument('[type]', 'types, or TYPE/NAME')
    .argument('[name...]', 'names')
    .requiredOption('--for <state>', "condition=NAME[=VALUE], delete, create, or jsonpath='{PATH}'[=VALUE]")
    .option(
      '--timeout <duration>',
      'how long: 30s, 5m; 0 looks once, a negative one waits a week',
      durationArgument,
      30_000,
    )
    .addOption(filenameOption('what to wait for'))
    .option('-R, --recursive', 'look into the folders of folders')
    .option('-l, --selector <selector>', 'objects with these labels')
    .option('--field-selector <selector>', 'objects with these fields')
    .option('--all', 'all objects of the types')
    .option('-A, --all-namespaces', 'of all namespaces');
  return addClusterOptions(command).action(
    async (type: string | undefined, names: string[], flags: WaitFlags) => {
      const args = type === undefined ? [] : [type, ...names];
      await withSession(context, flags, (session) => waitForResources(context, session, { args, flags }));
    },
  );
}
