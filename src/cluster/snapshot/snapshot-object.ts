import type { KubeObject } from '../../machinery/object.ts';

/** An object as a snapshot holds it: with its uid, by which owners are found, without what only its server knows. */
export function snapshotObject<T extends KubeObject>(
  object: T,
  type: { readonly apiVersion: string; readonly kind: string },
): T {
  const {
    resourceVersion: _version,
    managedFields: _fields,
    generation: _generation,
    ...metadata
  } = object.metadata;
  return { ...object, ...type, metadata };
}
