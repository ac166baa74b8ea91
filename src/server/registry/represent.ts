import { encodeObject } from '../../machinery/schema/encode-object.ts';
import type { Schema } from '../../machinery/schema/decode.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import { deepFreeze } from '../watch/deep-freeze.ts';
import type { ServedVersion } from './served-resource.ts';

/** A deep copy that its maker may change. Bigint and own `__proto__` keys survive. */
export function mutableCopy<T>(value: T): DeepMutable<T> {
  if (typeof value !== 'object' || value === null) return value as DeepMutable<T>;
  if (Array.isArray(value)) return value.map((item) => mutableCopy(item)) as DeepMutable<T>;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, mutableCopy(member)]),
  ) as DeepMutable<T>;
}

/** The object in the version asked for: frozen and shared. */
export function entryObject(served: ServedVersion, entry: CacheEntry): KubeObject {
  const stored = served.resource.cache.object(entry);
  if (!served.version.fromStorage) return stored;
  return deepFreeze(served.version.fromStorage(mutableCopy<KubeObject>(stored)) as KubeObject);
}

/** The entry's JSON in the version asked for. */
export function entryJson(served: ServedVersion, entry: CacheEntry): Buffer {
  if (!served.version.fromStorage) return entry.json;
  return Buffer.from(JSON.stringify(entryObject(served, entry)));
}

/** The stored form of an object: canonical JSON without `resourceVersion`. */
export function encodeStored(object: KubeObject, schema: Schema): Buffer {
  const { resourceVersion: _version, managedFields: _fields, selfLink: _link, ...metadata } = object.metadata;
  return Buffer.from(encodeObject({ ...object, metadata }, schema));
}
