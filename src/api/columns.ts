import { humanDuration } from '../machinery/duration.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { Column } from './resource.ts';

/** The first column of nearly every kind. */
export function nameColumn<T extends KubeObject>(): Column<T> {
  return { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name ?? '' };
}

/** How long ago the object was created. */
export function ageColumn<T extends KubeObject>(): Column<T> {
  return { name: 'Age', type: 'string', cell: ({ metadata }, now) => age(metadata.creationTimestamp, now) };
}

/** The time since `timestamp` as `kubectl get` prints it; `<unknown>` without one. */
export function age(timestamp: string | undefined, now: number): string {
  return timestamp ? humanDuration(now - Date.parse(timestamp)) : '<unknown>';
}
