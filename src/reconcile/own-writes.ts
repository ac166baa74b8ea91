import type { KubeObject, Live } from '../machinery/object.ts';
import { compareResourceVersions } from './resource-version.ts';

/** What {@link OwnWrites} needs of an informer. */
interface WatchedCache {
  readonly resourceVersion: string;
  get(namespace: string | undefined, name: string): Live<KubeObject> | undefined;
}

interface Pending {
  version: string;
  readonly deleted: Map<string, Live<KubeObject>>;
}

/**
 * Tells whether a cache has seen what a controller itself wrote, so that it does not create or delete twice
 * (the purpose of upstream's controller expectations). Versions of one server are ordered numbers.
 */
export class OwnWrites {
  readonly #cache: WatchedCache;
  readonly #pending = new Map<string, Pending>();

  constructor(cache: WatchedCache) {
    this.#cache = cache;
  }

  /** Work item `key` wrote `object`. */
  wrote(key: string, object: Live<KubeObject>): void {
    const pending = this.#of(key);
    const { resourceVersion } = object.metadata;
    if (compareResourceVersions(resourceVersion, pending.version) > 0) pending.version = resourceVersion;
  }

  /** Work item `key` deleted `object`. */
  deleted(key: string, object: Live<KubeObject>): void {
    this.#of(key).deleted.set(object.metadata.uid, object);
  }

  /** Whether the cache has everything that `key` wrote. When not, a later change of the cache will wake the owner. */
  observed(key: string): boolean {
    const pending = this.#pending.get(key);
    if (!pending) return true;
    if (compareResourceVersions(this.#cache.resourceVersion, pending.version) < 0) return false;
    for (const object of pending.deleted.values()) {
      const held = this.#cache.get(object.metadata.namespace, object.metadata.name);
      if (held?.metadata.uid === object.metadata.uid && held.metadata.deletionTimestamp === undefined)
        return false;
    }
    this.#pending.delete(key);
    return true;
  }

  /** Forgets a work item that is gone. */
  forget(key: string): void {
    this.#pending.delete(key);
  }

  #of(key: string): Pending {
    let pending = this.#pending.get(key);
    if (!pending) this.#pending.set(key, (pending = { version: '0', deleted: new Map() }));
    return pending;
  }
}
