import type { KubeObject, Live } from '../machinery/object.ts';
import type { Informer } from '../reconcile/informer.ts';
import { compareResourceVersions } from '../reconcile/resource-version.ts';

/**
 * An informer's cache with changes on top that the scheduler has decided and not yet seen: an assumed object stands in
 * for the watched one until that becomes newer than what the assumption was made from.
 */
export class AssumeCache<T extends KubeObject> {
  readonly #informer: Informer<T>;
  readonly #assumed = new Map<string, Live<T>>();

  constructor(informer: Informer<T>) {
    this.#informer = informer;
  }

  get(namespace: string | undefined, name: string): Live<T> | undefined {
    const watched = this.#informer.get(namespace, name);
    return watched && this.#current(watched);
  }

  list(): readonly Live<T>[] {
    const watched = this.#informer.list();
    return this.#assumed.size === 0 ? watched : watched.map((object) => this.#current(object));
  }

  /** Puts a changed copy in place of the object that it was made from. */
  assume(object: Live<T>): void {
    this.#assumed.set(keyOf(object), object);
  }

  /** Goes back to what is watched. */
  restore(object: Live<T>): void {
    this.#assumed.delete(keyOf(object));
  }

  #current(watched: Live<T>): Live<T> {
    const key = keyOf(watched);
    const assumed = this.#assumed.get(key);
    if (!assumed) return watched;
    const isCurrent =
      assumed.metadata.uid === watched.metadata.uid &&
      compareResourceVersions(assumed.metadata.resourceVersion, watched.metadata.resourceVersion) >= 0;
    if (isCurrent) return assumed;
    this.#assumed.delete(key);
    return watched;
  }
}

function keyOf({ metadata }: Live<KubeObject>): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
