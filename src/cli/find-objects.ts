import type { ServedResource } from '../client/discovery.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import type { Failures } from './failures.ts';
import { listObjects, namespaceOf } from './list-objects.ts';
import { loadManifests } from './manifests.ts';
import { resourceTargets } from './resource-args.ts';
import type { Session } from './session.ts';

/** Which objects a command line means. */
export interface Selection {
  /** `TYPE [NAME…]` or `TYPE/NAME…`; empty when files are given. */
  readonly args: readonly string[];
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
}

/** One object that is named, whether it exists or not. */
export interface ObjectRefOfType {
  readonly served: ServedResource;
  readonly name: string;
  readonly namespace?: string;
}

/** What is meant, named: for verbs that change things, which want names, a selector or `--all`. */
export async function findRefs(
  context: CliContext,
  session: Session,
  selection: Selection,
): Promise<ObjectRefOfType[]> {
  const { args, filename, selector, fieldSelector, all, allNamespaces } = selection;
  if (filename) return refsInFiles(context, session, { filename, recursive: selection.recursive === true });
  if (args.length === 0)
    throw new CliError('you must provide one or more resources by argument or filename', { exitCode: 2 });
  const refs: ObjectRefOfType[] = [];
  for (const { served, names } of resourceTargets(args, await session.mapper())) {
    const place = namespaceOf(session, served, { allNamespaces: allNamespaces === true });
    if (names.length > 0 && (selector || fieldSelector || all))
      throw new CliError('names cannot be given together with a selector or --all', { exitCode: 2 });
    if (names.length === 0 && !selector && !fieldSelector && !all)
      throw new CliError(
        'resource(s) were provided, but no name was specified: give names, a selector or --all',
        {
          exitCode: 2,
        },
      );
    refs.push(...names.map((name) => ({ served, name, ...place })));
    if (names.length > 0) continue;
    const { items } = await listObjects(session, served, {
      ...place,
      ...(selector && { labelSelector: selector }),
      ...(fieldSelector && { fieldSelector }),
      signal: context.signal,
    });
    refs.push(...items.map((object) => refOf(served, object)));
  }
  return refs;
}

async function refsInFiles(
  context: CliContext,
  session: Session,
  { filename, recursive }: { readonly filename: readonly string[]; readonly recursive: boolean },
): Promise<ObjectRefOfType[]> {
  const manifests = await loadManifests(filename, context, { recursive, validation: 'ignore' });
  const mapper = await session.mapper();
  return manifests.map(({ object, file, line }) => {
    const served = mapper.byKind(object.apiVersion, object.kind);
    if (!served)
      throw new CliError(
        `no matches for kind "${object.kind}" in version "${object.apiVersion}" (${file}:${line})`,
      );
    const namespace = object.metadata.namespace ?? session.namespace;
    return { served, name: object.metadata.name ?? '', ...(served.type.namespaced && { namespace }) };
  });
}

/** The objects themselves, all of a type where neither names nor selectors are given. Notes those that are not there. */
export async function findObjects(
  context: CliContext,
  session: Session,
  { selection, failures }: { readonly selection: Selection; readonly failures: Failures },
): Promise<{ readonly served: ServedResource; readonly object: Live<KubeObject> }[]> {
  const { args, filename, selector, fieldSelector } = selection;
  const named = filename !== undefined || args.some((arg) => arg.includes('/')) || args.length > 1;
  const refs = await findRefs(context, session, {
    ...selection,
    ...(!named && !selector && !fieldSelector && { all: true }),
  });
  const found: { served: ServedResource; object: Live<KubeObject> }[] = [];
  for (const { served, ...ref } of refs) {
    try {
      found.push({ served, object: await session.client.for(served.type).get(ref, context) });
    } catch (error) {
      failures.add(error);
    }
  }
  return found;
}

function refOf(served: ServedResource, { metadata }: Live<KubeObject>): ObjectRefOfType {
  return {
    served,
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  };
}
