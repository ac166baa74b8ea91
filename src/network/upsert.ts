import { isDeepStrictEqual } from 'node:util';
import type { ResourceClient } from '../client/client.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import { unlessGone } from '../machinery/unless-gone.ts';

/** Creates the object, or brings the existing one's members (all but metadata) to its values. */
export async function upsert<T extends KubeObject>(resource: ResourceClient<T>, object: T): Promise<void> {
  const { namespace, name = '' } = object.metadata;
  const current = await find(resource, { name, ...(namespace !== undefined && { namespace }) });
  if (!current) {
    try {
      await resource.create(object);
      return;
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
      return await upsert(resource, object);
    }
  }
  const next = { ...current, ...object, metadata: current.metadata };
  if (!isDeepStrictEqual(next, current)) await resource.update(next);
}

/** The object, or undefined when there is none. */
export async function find<T extends KubeObject>(
  resource: ResourceClient<T>,
  ref: { readonly namespace?: string; readonly name: string },
): Promise<Live<T> | undefined> {
  return await unlessGone(resource.get(ref));
}
