import type { OwnerReference } from '../machinery/meta/v1.gen.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import type { Informer } from './informer.ts';

/** The reference to the object that manages this one, if any. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  const references = object.metadata.ownerReferences;
  if (!references) return undefined;
  for (const reference of references) if (reference.controller === true) return reference;
  return undefined;
}

/** A reference that makes `owner` the managing controller and lets foreground deletion wait. */
export function controllerReference(owner: Live<KubeObject>): OwnerReference {
  const { apiVersion, kind } = owner;
  const { name, uid } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

const indexName = 'controller';

/** Indexes a cache by controller, for {@link dependentsOf} and {@link unowned}. */
export function indexByController<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(indexName, (object) => [
    controllerOf(object)?.uid ?? `unowned/${object.metadata.namespace ?? ''}`,
  ]);
}

/** The objects that `uid` controls. */
export function dependentsOf<T>(informer: Informer<T>, uid: string): readonly Live<T>[] {
  return informer.byIndex(indexName, uid);
}

/** The objects of a namespace that no controller manages. */
export function unowned<T>(informer: Informer<T>, namespace: string): readonly Live<T>[] {
  return informer.byIndex(indexName, `unowned/${namespace}`);
}
