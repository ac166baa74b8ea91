import type { Client } from '../../client/client.ts';
import type { ServedResource } from '../../client/discovery.ts';
import { apiVersionOf, type KubeObject } from '../../machinery/object.ts';
import { snapshotObject } from './snapshot-object.ts';

export interface SavedResource {
  readonly served: ServedResource;
  /** From which version on a watch tells what happened since. */
  readonly resourceVersion: string;
}

const PAGE = 500;

/** Hands every object of the resources to `write`, in their order; resolves to where each list stood. */
export async function saveSnapshot(
  client: Client,
  resources: readonly ServedResource[],
  options: {
    readonly signal: AbortSignal;
    readonly write: (object: KubeObject, served: ServedResource) => void;
  },
): Promise<readonly SavedResource[]> {
  const saved: SavedResource[] = [];
  for (const served of resources) {
    const type = { apiVersion: apiVersionOf(served.type), kind: served.type.kind };
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const list = await client
        .for<KubeObject>(served.type)
        .list({ limit: PAGE, ...(next !== undefined && { continue: next }), signal: options.signal });
      for (const object of list.items) options.write(snapshotObject(object, type), served);
      next = list.metadata.continue;
      resourceVersion = list.metadata.resourceVersion ?? '';
    } while (next);
    saved.push({ served, resourceVersion });
  }
  return saved;
}
