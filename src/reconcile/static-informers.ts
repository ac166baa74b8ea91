import { apiVersionOf, type KubeObject, type Live, type ResourceType } from '../machinery/object.ts';
import type { Informer, InformerFactory } from './informer.ts';
import { ObjectCache } from './object-cache.ts';

/** Informers over a fixed set of objects, for deciding about a cluster that is not running (and for tests). */
export function staticInformers(objects: readonly Live<KubeObject>[]): InformerFactory {
  const informers = new Map<string, Informer<KubeObject>>();
  return {
    for<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
      const key = `${apiVersionOf(type)}/${type.kind}`;
      let informer = informers.get(key);
      if (!informer) {
        const own = objects.filter(({ apiVersion, kind }) => key === `${apiVersion}/${kind}`);
        informers.set(key, (informer = staticInformer(type, own)));
      }
      return informer as Informer<T>;
    },
    start: () => undefined,
    synced: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}

function staticInformer(
  type: ResourceType<KubeObject>,
  objects: readonly Live<KubeObject>[],
): Informer<KubeObject> {
  const cache = new ObjectCache<KubeObject>();
  for (const object of objects) cache.set(object);
  return {
    type,
    synced: () => Promise.resolve(),
    hasSynced: true,
    resourceVersion: '1',
    get: (namespace, name) => cache.get(namespace, name),
    list: (namespace) => cache.list(namespace),
    addIndex: (name, keysOf) => cache.addIndex(name, keysOf),
    byIndex: (name, key) => cache.byIndex(name, key),
    indexKeys: (name) => cache.indexKeys(name),
    addHandler(handler) {
      for (const object of cache.list()) handler.onAdd?.(object, { initial: true });
      return { close: () => undefined };
    },
  };
}
