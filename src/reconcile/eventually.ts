import type { Client, ListOptions } from '../client/client.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';

/** Waits, by a watch, until the objects of a type are as `check` wants them; returns them. For tests. */
export async function eventually<T extends KubeObject>(
  client: Client,
  type: ResourceType<T>,
  check: (objects: readonly Live<T>[]) => boolean,
  options: ListOptions = {},
): Promise<readonly Live<T>[]> {
  const resource = client.for(type);
  const list = await resource.list(options);
  const objects = new Map(list.items.map((object) => [object.metadata.uid, object]));
  if (check([...objects.values()])) return [...objects.values()];
  const resourceVersion = list.metadata.resourceVersion ?? '';
  const signal = AbortSignal.timeout(10_000);
  for await (const { type: change, object } of resource.watch({ ...options, resourceVersion, signal })) {
    if (change === 'DELETED') objects.delete(object.metadata.uid);
    else objects.set(object.metadata.uid, object);
    if (check([...objects.values()])) return [...objects.values()];
  }
  throw new Error(
    `${type.resource} did not become as wanted: ${JSON.stringify([...objects.values()], undefined, 1)}`,
  );
}
