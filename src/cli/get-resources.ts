import type { ServedResource } from '../client/discovery.ts';
import { isStatus } from '../machinery/status-error.ts';
import { sortByPath } from '../printers/sort-by.ts';
import { createTablePrinter, type ServerTable } from '../printers/table-printer.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { GetFlags } from './commands/get.ts';
import { collectFailures, type Failures } from './failures.ts';
import { listObjects, namespaceOf, type ListQuery } from './list-objects.ts';
import { parseOutputFormat, type OutputFormat } from './output-format.ts';
import { printObjects, type FoundObject } from './print-objects.ts';
import { readTable, watchTables, type TableQuery } from './read-tables.ts';
import { resourceTargets, typeName, type Target } from './resource-args.ts';
import type { Session } from './session.ts';

interface GetRequest {
  readonly args: readonly string[];
  readonly flags: GetFlags;
}

interface Get {
  readonly context: CliContext;
  readonly session: Session;
  readonly flags: GetFlags;
  readonly targets: readonly Target[];
  readonly failures: Failures;
}

/** Prints what the arguments of `get` name. Goes on after an object that is not there, and throws at the end. */
export async function getResources(
  context: CliContext,
  session: Session,
  { args, flags }: GetRequest,
): Promise<void> {
  const format = parseOutputFormat(flags.output);
  const targets = resourceTargets(args, await session.mapper());
  const named = targets.some(({ names }) => names.length > 0);
  if (named && flags.allNamespaces)
    throw new CliError('a resource cannot be retrieved by name across all namespaces', { exitCode: 2 });
  if (named && (flags.selector || flags.fieldSelector))
    throw new CliError('selectors and the name of an object cannot be given together', { exitCode: 2 });
  const failures = collectFailures(context);
  const get: Get = { context, session, flags, targets, failures };
  if (flags.watch || flags.watchOnly) await watchOne(get, format);
  else if (format.type === 'table') await printTables(get, format.wide);
  else await printFound(get, format);
  failures.throwIfAny();
}

function queryFor({ context, session, flags }: Get, served: ServedResource): ListQuery {
  return {
    ...namespaceOf(session, served, { allNamespaces: flags.allNamespaces === true }),
    ...(flags.selector && { labelSelector: flags.selector }),
    ...(flags.fieldSelector && { fieldSelector: flags.fieldSelector }),
    signal: context.signal,
  };
}

/** Runs one read; an object that is not there is noted, unless it may be missing. */
async function attempt<T>({ failures, flags }: Get, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (flags.ignoreNotFound && isStatus(error, 'NotFound')) return undefined;
    failures.add(error);
    return undefined;
  }
}

async function printTables(get: Get, wide: boolean): Promise<void> {
  const { context, session, flags, targets } = get;
  const types = new Set(targets.map(({ served }) => typeName(served)));
  let printer: ReturnType<typeof createTablePrinter> | undefined;
  let last: ServedResource | undefined;
  let written = false;
  let failed = false;
  for (const { served, names } of targets) {
    const query: TableQuery = {
      ...queryFor(get, served),
      includeObject: flags.sortBy ? 'Object' : 'Metadata',
    };
    const wanted: readonly TableQuery[] =
      names.length > 0 ? names.map((name) => ({ ...query, name })) : [query];
    for (const one of wanted) {
      const table = await attempt(get, () => readTable(context, session, { served, query: one }));
      failed ||= table === undefined;
      if (!table?.rows || table.rows.length === 0) continue;
      if (!printer || last?.type !== served.type) {
        if (written && flags.headers) context.stdout.write('\n');
        printer = tablePrinter(get, { served, wide, severalTypes: types.size > 1 });
        last = served;
      }
      context.stdout.write(printer.print(sorted(table, flags.sortBy)));
      written = true;
    }
  }
  if (!written && !failed && !flags.ignoreNotFound) {
    const everywhere = flags.allNamespaces || targets.every(({ served }) => !served.type.namespaced);
    context.stderr.write(
      everywhere ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`,
    );
  }
}

function tablePrinter(
  { flags }: Get,
  { served, wide, severalTypes }: { served: ServedResource; wide: boolean; severalTypes: boolean },
): ReturnType<typeof createTablePrinter> {
  return createTablePrinter({
    wide,
    noHeaders: !flags.headers,
    withNamespace: flags.allNamespaces === true && served.type.namespaced,
    showLabels: flags.showLabels === true,
    ...((severalTypes || flags.showKind) && { namePrefix: typeName(served) }),
    ...(flags.labelColumns && { labelColumns: flags.labelColumns.split(',') }),
  });
}

function sorted(table: ServerTable, path: string | undefined): ServerTable {
  if (!path) return table;
  return { ...table, rows: sortByPath(table.rows ?? [], { path, objectOf: (row) => row.object }) };
}

type ObjectFormat = Exclude<OutputFormat, { readonly type: 'table' }>;

async function printFound(get: Get, format: ObjectFormat): Promise<void> {
  const { context, session, flags, targets } = get;
  const found: FoundObject[] = [];
  for (const { served, names } of targets) {
    const client = session.client.for(served.type);
    const query = queryFor(get, served);
    if (names.length === 0) {
      const list = await attempt(get, () => listObjects(session, served, query));
      found.push(...(list?.items ?? []).map((object) => ({ served, object })));
    }
    for (const name of names) {
      const object = await attempt(get, () => client.get({ ...query, name }, query));
      if (object) found.push({ served, object });
    }
  }
  const ordered = flags.sortBy
    ? sortByPath(found, { path: flags.sortBy, objectOf: ({ object }) => object })
    : found;
  const asked = targets.flatMap(({ names }) => names);
  const single = asked.length === 1 && targets.length === 1;
  if (single && found.length === 0) return;
  context.stdout.write(
    printObjects(ordered, {
      format,
      single,
      noHeaders: !flags.headers,
      showManagedFields: flags.showManagedFields === true,
    }),
  );
}

async function watchOne(get: Get, format: OutputFormat): Promise<void> {
  const { context, session, flags, targets } = get;
  const [target, second] = targets;
  if (!target || second || target.names.length > 1)
    throw new CliError('you may only specify a single resource type, and at most one name, with --watch', {
      exitCode: 2,
    });
  const { served, names } = target;
  const [name] = names;
  const query: TableQuery = {
    ...queryFor(get, served),
    ...(name !== undefined && { name }),
    includeObject: format.type === 'table' ? 'Metadata' : 'Object',
  };
  const show = watchPrinter(get, served, format);
  const first = await readTable(context, session, { served, query });
  if (!flags.watchOnly) show(first);
  const resourceVersion =
    first.metadata.resourceVersion ?? first.rows?.[0]?.object?.metadata.resourceVersion ?? '';
  try {
    for await (const table of watchTables(context, session, { served, query, resourceVersion })) show(table);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

function watchPrinter(get: Get, served: ServedResource, format: OutputFormat): (table: ServerTable) => void {
  const { context, flags } = get;
  if (format.type === 'table') {
    const printer = tablePrinter(get, { served, wide: format.wide, severalTypes: false });
    return (table) => void context.stdout.write(printer.print(sorted(table, flags.sortBy)));
  }
  return (table) => {
    for (const { object } of table.rows ?? []) {
      if (object)
        context.stdout.write(printObjects([{ served, object }], { format, single: true, noHeaders: true }));
    }
  };
}
