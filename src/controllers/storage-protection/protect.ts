import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import {
  settled,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import type { Informer } from '../../reconcile/informer.ts';
import { byKey, objectKey, type Reconciler, startReconciler } from '../../reconcile/reconciler.ts';
import { isStatus } from '../../machinery/status-error.ts';

/** What is protected, and when it is in use. */
export interface Protection<T extends KubeObject> {
  readonly controller: string;
  readonly type: ResourceType<T>;
  readonly finalizer: string;
  /** Caches that {@link inUse} reads. */
  readonly caches: readonly { synced(): Promise<void> }[];
  inUse(object: Live<T>): boolean;
  /** Wakes objects when something that uses them changes; called once. */
  watchUsers?(reconciler: Reconciler): void;
}

/** Keeps a finalizer on objects: added where it is missing, taken away when a deleted object is not in use. */
export function startProtection<T extends KubeObject>(
  context: ControllerContext,
  protection: Protection<T>,
): RunningController {
  const cache: Informer<T> = context.informers.for(protection.type);
  const writer = context.client.for(protection.type);
  const reconciler = startReconciler(context, {
    name: protection.controller,
    caches: [cache, ...protection.caches],
    reconcile,
  });
  const wake = (object: Live<T>): void => reconciler.add(objectKey(object));
  cache.addHandler({ onAdd: wake, onUpdate: wake });
  protection.watchUsers?.(reconciler);
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const object = byKey(cache, key);
    const finalizers = object && planFinalizers(object, protection.finalizer, protection.inUse);
    if (!object || !finalizers) return settled;
    const { namespace, name, resourceVersion } = object.metadata;
    try {
      await writer.patch(
        { name, ...(namespace === undefined ? {} : { namespace }) },
        { metadata: { resourceVersion, finalizers } },
        { type: 'application/merge-patch+json' },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    return settled;
  }
}

/** The finalizers that an object should have; undefined when it has them. */
export function planFinalizers<T extends KubeObject>(
  object: Live<T>,
  finalizer: string,
  inUse: (object: Live<T>) => boolean,
): readonly string[] | undefined {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const has = finalizers.includes(finalizer);
  if (deletionTimestamp === undefined) return has ? undefined : [...finalizers, finalizer];
  return has && !inUse(object) ? finalizers.filter((name) => name !== finalizer) : undefined;
}
