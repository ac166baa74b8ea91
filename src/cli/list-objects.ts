import type { ServedResource } from '../client/discovery.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import type { Session } from './session.ts';

/** Which objects of a type; `namespace` is left out for all namespaces. */
export interface ListQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal: AbortSignal;
}

const pageSize = 500;

/** All objects that match, page by page, and the version of the list to watch from. */
export async function listObjects(
  session: Session,
  served: ServedResource,
  query: ListQuery,
): Promise<{ readonly items: readonly Live<KubeObject>[]; readonly resourceVersion: string }> {
  const items: Live<KubeObject>[] = [];
  let next: string | undefined;
  let resourceVersion = '';
  do {
    const list = await session.client
      .for(served.type)
      .list({ ...query, limit: pageSize, ...(next !== undefined && { continue: next }) });
    items.push(...list.items);
    next = list.metadata.continue;
    resourceVersion = list.metadata.resourceVersion ?? '';
  } while (next);
  return { items, resourceVersion };
}

/** The namespace that a request about this type carries: none for cluster-scoped types. */
export function namespaceOf(
  session: Session,
  served: ServedResource,
  { allNamespaces }: { readonly allNamespaces?: boolean } = {},
): { readonly namespace?: string } {
  return served.type.namespaced && !allNamespaces ? { namespace: session.namespace } : {};
}
