import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { deepFreeze } from '../watch/deep-freeze.ts';
import type { ServedVersion } from './served-resource.ts';

/** An object in the version asked for. */
export function convertedFrom(served: ServedVersion, stored: KubeObject): KubeObject {
  if (!served.version.fromStorage) return stored;
  return deepFreeze(served.version.fromStorage(mutableCopy<KubeObject>(stored)) as KubeObject);
}
