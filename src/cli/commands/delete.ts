import { Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { deleteResources } from '../delete-resources.ts';
import { wholeNumber, durationArgument } from '../flag-values.ts';
import { filenameOption } from '../filename-option.ts';
import { withSession } from '../session.ts';

/** The flags of `kanoe delete` as commander parses them. */
export interface DeleteFlags extends ClusterFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
  readonly gracePeriod?: number;
  readonly now?: boolean;
  readonly force?: boolean;
  readonly cascade: 'background' | 'orphan' | 'foreground';
  readonly wait: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly ignoreNotFound?: boolean;
  readonly dryRun: 'none' | 'client' | 'server';
  readonly output?: 'name';
}

/** `kanoe delete`: deletes objects and waits until they are gone. */
export function deleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description(
      'delete objects: kanoe delete pod web, kanoe delete -f web.yaml, kanoe delete pods -l app=web',
    )
    .argument('[type]', 'types, or TYPE/NAME')
    .argument('[name...]', 'names')
    .addOption(filenameOption('what to delete'))
    .option('-R, --recursive', 'look into the folders of folders')
    .option('-l, --selector <selector>', 'objects with these labels')
    .option('--field-selector <selector>', 'objects with these fields')
    .option('--all', 'all objects of the types')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--grace-period <seconds>', 'time to end by itself; 0 only with --force', wholeNumber)
    .option('--now', 'with a grace period of one second')
    .option('--force', 'remove the object at once, without knowing that its containers ended')
    .addOption(
      new Option('--cascade <how>', 'what becomes of the objects it owns')
        .choices(['background', 'orphan', 'foreground'])
        .default('background'),
    )
    .option('--wait [wait]', 'return when the objects are gone', (text) => text !== 'false', true)
    .option('--no-wait', 'return at once')
    .option('--timeout <duration>', 'how long to wait: 30s, 5m (default: no limit)', durationArgument)
    .option('--ignore-not-found', 'treat a missing object as deleted')
    .addOption(
      new Option('--dry-run <where>', 'delete nothing').choices(['none', 'client', 'server']).default('none'),
    )
    .addOption(new Option('-o, --output <format>', 'print names only').choices(['name']));
  return addClusterOptions(command).action(
    async (type: string | undefined, names: string[], flags: DeleteFlags) => {
      const args = type === undefined ? [] : [type, ...names];
      await withSession(context, flags, (session) => deleteResources(context, session, { args, flags }));
    },
  );
}
