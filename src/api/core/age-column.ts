import { humanDuration } from '../../machinery/duration.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { Column } from '../resource.ts';

/** How long ago an RFC 3339 time was (`3m12s`); `<unknown>` for no time. */
export function age(time: string | undefined, now: number): string {
  return time === undefined ? '<unknown>' : humanDuration(now - Date.parse(time));
}

/** The first column of every built-in table. */
export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  cell: (object) => object.metadata.name ?? '',
};

/** The `Age` column of the built-in tables. */
export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  cell: (object, now) => age(object.metadata.creationTimestamp, now),
};
