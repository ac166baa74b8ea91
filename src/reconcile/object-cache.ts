import type { KubeObject, Live } from '../machinery/object.ts';

/** Objects of one type by namespace and name, with named indexes (client-go's ThreadSafeStore). */
export class ObjectCache<T extends KubeObject> {
  readonly #namespaces = new Map<string, Map<string, Live<T>>>();
  readonly #indexes = new Map<string, Index<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string | undefined, name: string): Live<T> | undefined {
    return this.#namespaces.get(namespace ?? '')?.get(name);
  }

  list(namespace?: string): readonly Live<T>[] {
    if (namespace !== undefined) return [...(this.#namespaces.get(namespace)?.values() ?? [])];
    const all: Live<T>[] = [];
    for (const objects of this.#namespaces.values()) for (const object of objects.values()) all.push(object);
    return all;
  }

  /** Holds `object`; returns the one it replaces. */
  set(object: Live<T>): Live<T> | undefined {
    const { namespace = '', name } = object.metadata;
    let objects = this.#namespaces.get(namespace);
    if (!objects) this.#namespaces.set(namespace, (objects = new Map<string, Live<T>>()));
    const previous = objects.get(name);
    objects.set(name, object);
    if (!previous) this.#size++;
    for (const index of this.#indexes.values()) index.replace(previous, object);
    return previous;
  }

  /** Drops the object of that name; returns it. */
  delete(namespace: string | undefined, name: string): Live<T> | undefined {
    const objects = this.#namespaces.get(namespace ?? '');
    const previous = objects?.get(name);
    if (!objects || !previous) return undefined;
    objects.delete(name);
    if (objects.size === 0) this.#namespaces.delete(namespace ?? '');
    this.#size--;
    for (const index of this.#indexes.values()) index.replace(previous, undefined);
    return previous;
  }

  addIndex(name: string, keysOf: (object: Live<T>) => readonly string[]): void {
    if (this.#indexes.has(name)) return;
    const index = new Index(keysOf);
    this.#indexes.set(name, index);
    for (const object of this.list()) index.replace(undefined, object);
  }

  /** Throws when no index of that name was added. */
  byIndex(name: string, key: string): readonly Live<T>[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`no index named ${name}`);
    return index.get(key);
  }

  /** The keys under which there is something. Throws when no index of that name was added. */
  indexKeys(name: string): Iterable<string> {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`no index named ${name}`);
    return index.keys();
  }
}

/** Sets of objects by key: key → uid → object. */
class Index<T extends KubeObject> {
  readonly #keysOf: (object: Live<T>) => readonly string[];
  readonly #sets = new Map<string, Map<string, Live<T>>>();

  constructor(keysOf: (object: Live<T>) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  get(key: string): readonly Live<T>[] {
    return [...(this.#sets.get(key)?.values() ?? [])];
  }

  keys(): Iterable<string> {
    return this.#sets.keys();
  }

  replace(previous: Live<T> | undefined, next: Live<T> | undefined): void {
    if (previous) for (const key of this.#keysOf(previous)) this.#remove(key, previous.metadata.uid);
    if (next) for (const key of this.#keysOf(next)) this.#add(key, next);
  }

  #add(key: string, object: Live<T>): void {
    const set = this.#sets.get(key) ?? new Map<string, Live<T>>();
    this.#sets.set(key, set.set(object.metadata.uid, object));
  }

  #remove(key: string, uid: string): void {
    const set = this.#sets.get(key);
    set?.delete(uid);
    if (set?.size === 0) this.#sets.delete(key);
  }
}
