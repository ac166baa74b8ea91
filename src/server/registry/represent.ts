import { encodeObject } from '../../machinery/schema/encode-object.ts';
import type { Schema } from '../../machinery/schema/decode.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import { deepFreeze } from '../watch/deep-freeze.ts';
import type { StoredForm } from './expected-body.ts';
import type { ServedVersion } from './served-resource.ts';

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
  const { resourceVersion: _version, selfLink: _link, ...metadata } = object.metadata;
  return Buffer.from(encodeObject({ ...object, metadata }, schema));
}

/** {@link encodeStored} in the form in which the resource is stored; a custom resource may have to be converted first. */
export function encodeForStore(object: KubeObject, form: StoredForm): Buffer | Promise<Buffer> {
  return form.custom ? form.custom.encode(object) : encodeStored(object, form);
}
