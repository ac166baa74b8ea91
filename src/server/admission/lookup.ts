import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';

/** Reads the server's own caches: what plug-ins need to know of other objects. */
export interface Lookup {
  get<T extends KubeObject>(type: ResourceType<T>, namespace: string, name: string): Live<T> | undefined;
  /** All objects, or those of one namespace. */
  list<T extends KubeObject>(type: ResourceType<T>, namespace?: string): Iterable<Live<T>>;
}
