import type { ListMeta } from '../../machinery/meta/v1.gen.ts';
import type { Column } from '../../api/resource.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import type { ServedVersion } from './served-resource.ts';

/** One object, as stored or as it would be. */
export interface ObjectAnswer {
  readonly type: 'object';
  readonly code: number;
  /** Absent for objects that are of no resource (`Status`, reviews, `Scale`). */
  readonly served?: ServedVersion;
  /** The schema message of an object that is not of {@link served}'s own kind. */
  readonly message?: string;
  /** How it is shown as a row when it is of no resource; without them it is no row at all. */
  readonly columns?: readonly Column<KubeObject>[];
  /** It was made for this answer: its JSON is written by the schema, where there is one, and {@link json} is for the rest. */
  readonly fresh?: true;
  /** Its JSON. */
  json(): Buffer;
  /** The object itself: complete, not to be changed. */
  object(): object;
}

/** Stored objects of one resource. */
export interface ListAnswer {
  readonly type: 'list';
  readonly served: ServedVersion;
  readonly metadata: ListMeta;
  readonly entries: readonly CacheEntry[];
}

/** What a request about a resource is answered with. */
export type Answer = ObjectAnswer | ListAnswer;
