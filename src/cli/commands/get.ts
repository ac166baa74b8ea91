import { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { getResources } from '../get-resources.ts';
import { withSession } from '../session.ts';

/** The flags of `kanoe get` as commander parses them. */
export interface GetFlags extends ClusterFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
  readonly watchOnly?: boolean;
  readonly output?: string;
  readonly headers: boolean;
  readonly sortBy?: string;
  readonly showLabels?: boolean;
  readonly labelColumns?: string;
  readonly showManagedFields?: boolean;
  readonly showKind?: boolean;
  readonly ignoreNotFound?: boolean;
}

/** `kanoe get`: prints objects, as a table unless asked otherwise. */
export function getCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('print objects: kanoe get pods, kanoe get deploy/web -o yaml, kanoe get pods,svc -A -w')
    .argument('<type>', 'types (pods, po, deployments.apps; several with commas), or TYPE/NAME')
    .argument('[name...]', 'names')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-l, --selector <selector>', 'with these labels: a=b,c!=d,e in (f,g)')
    .option('--field-selector <selector>', 'with these fields: metadata.name=x,status.phase=Running')
    .option('-w, --watch', 'print changes, too, until interrupted')
    .option('--watch-only', 'print changes only')
    .option(
      '-o, --output <format>',
      'wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=NAME:PATH,…',
    )
    .option('--no-headers', 'leave out the line of column names')
    .option('--sort-by <path>', 'sort by a field, given as a JSONPath: .metadata.creationTimestamp')
    .option('--show-labels', 'with a column of all labels')
    .option('-L, --label-columns <labels>', 'with a column for each of these labels')
    .option('--show-kind', 'put the type before each name')
    .option('--show-managed-fields', 'keep metadata.managedFields in JSON and YAML')
    .option('--ignore-not-found', 'treat a missing object as an empty answer');
  return addClusterOptions(command).action(async (type: string, names: string[], flags: GetFlags) => {
    await withSession(context, flags, (session) =>
      getResources(context, session, { args: [type, ...names], flags }),
    );
  });
}
