import type { ServedResource } from '../client/discovery.ts';
import { humanDuration } from '../machinery/duration.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { ApiRequest } from '../machinery/transport.ts';
import type { ServerTable } from '../printers/table-printer.ts';
import type { CliContext } from './cli-context.ts';
import type { ListQuery } from './list-objects.ts';
import type { Session } from './session.ts';

/** What the verbs that print tables ask the server for. */
export const acceptTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

const pageSize = '500';

export interface TableQuery extends ListQuery {
  readonly name?: string;
  /** How much of each object comes with its row. */
  readonly includeObject?: 'Object' | 'Metadata';
}

/** The rows of one object or of a whole list, all pages in one table. */
export async function readTable(
  context: CliContext,
  session: Session,
  { served, query }: { readonly served: ServedResource; readonly query: TableQuery },
): Promise<ServerTable> {
  const request = tableRequest(served, query);
  const answer = (params: Record<string, string> = {}): Promise<ServerTable> =>
    session.client.transport
      .request({ ...request, params: { ...request.params, ...params } })
      .then((value) => asTable(context, value));
  if (query.name !== undefined) return answer();
  const first = await answer({ limit: pageSize });
  const rows = [...(first.rows ?? [])];
  let { metadata } = first;
  while (metadata.continue) {
    const page = await answer({ limit: pageSize, continue: metadata.continue });
    rows.push(...(page.rows ?? []));
    ({ metadata } = page);
  }
  return { ...first, metadata, rows };
}

/** Tables of one row for every change after `resourceVersion`. */
export async function* watchTables(
  context: CliContext,
  session: Session,
  watch: { readonly served: ServedResource; readonly query: TableQuery; readonly resourceVersion: string },
): AsyncGenerator<ServerTable> {
  const { name, ...query } = watch.query;
  const fieldSelector = [query.fieldSelector, name === undefined ? undefined : `metadata.name=${name}`]
    .filter((part) => part)
    .join(',');
  const request = tableRequest(watch.served, { ...query, ...(fieldSelector !== '' && { fieldSelector }) });
  const events = session.client.transport.watch({
    ...request,
    verb: 'watch',
    params: { ...request.params, resourceVersion: watch.resourceVersion },
  });
  for await (const { type, object } of events) {
    if (type === 'ERROR' || type === 'BOOKMARK') continue;
    yield asTable(context, object);
  }
}

function tableRequest(served: ServedResource, query: TableQuery): ApiRequest {
  const { group, version, resource } = served.type;
  const { name, namespace, labelSelector, fieldSelector, includeObject = 'Metadata', signal } = query;
  return {
    verb: name === undefined ? 'list' : 'get',
    group,
    version,
    resource,
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    params: {
      ...(includeObject === 'Object' && { includeObject }),
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    },
    accept: acceptTable,
    signal,
  };
}

/** Servers that make no tables answer with objects: those get a name and an age. */
function asTable(context: CliContext, answer: unknown): ServerTable {
  const value = answer as ServerTable | (KubeObject & { readonly items?: readonly KubeObject[] });
  if (value.kind === 'Table' && 'rows' in value) return value;
  const object = value as KubeObject & { readonly items?: readonly KubeObject[] };
  const age = ({ metadata }: KubeObject): string =>
    metadata.creationTimestamp === undefined
      ? '<unknown>'
      : humanDuration(context.clock.now() - Date.parse(metadata.creationTimestamp));
  return {
    kind: 'Table',
    metadata: object.metadata,
    columnDefinitions: [
      { name: 'Name', type: 'string' },
      { name: 'Age', type: 'string' },
    ],
    rows: (object.items ?? [object]).map((item) => ({
      cells: [item.metadata.name ?? '', age(item)],
      object: item,
    })),
  };
}
