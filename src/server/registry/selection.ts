import {
  fieldsMatch,
  parseFieldSelector,
  type FieldSelector,
} from '../../machinery/selectors/field-selector.ts';
import { selectorMatches, type Selector } from '../../machinery/selectors/label-selector.ts';
import { parseLabelSelector } from '../../machinery/selectors/parse-label-selector.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import type { ServedVersion } from './served-resource.ts';

/** Which objects of a resource a LIST or WATCH is about. */
export interface Selection {
  /** Keys start with this: the resource, or one namespace of it. */
  readonly prefix: string;
  /** Whether the objects below the prefix are filtered further. */
  readonly filtered: boolean;
  matches(entry: CacheEntry): boolean;
}

function entryField(entry: CacheEntry, field: string): string {
  if (field === 'metadata.name') return entry.name;
  if (field === 'metadata.namespace') return entry.namespace;
  return entry.fields[field] ?? '';
}

function checkFields(served: ServedVersion, selector: FieldSelector): void {
  const { definition, stored } = served.resource;
  const known = ['metadata.name', ...(stored.namespaced ? ['metadata.namespace'] : [])];
  for (const { field } of selector) {
    if (known.includes(field) || field === 'metadata.namespace') continue;
    if (definition.selectableFields && Object.hasOwn(definition.selectableFields, field)) continue;
    if (definition.selectableFields) {
      throw newBadRequest(definition.unselectableField?.(field) ?? `field label not supported: ${field}`);
    }
    throw newBadRequest(
      `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
}

/** Reads namespace, name and the selector parameters. Throws a BadRequest. */
export function selectionOf(served: ServedVersion, request: ApiRequest): Selection {
  const { cache, stored } = served.resource;
  const labels: Selector = parseLabelSelector(request.params?.['labelSelector'] ?? '');
  const fields = parseFieldSelector(request.params?.['fieldSelector'] ?? '');
  checkFields(served, fields);
  const inNamespace = stored.namespaced && request.namespace !== undefined && request.namespace !== '';
  const named = request.name;
  return {
    prefix: inNamespace ? `${cache.prefix}${request.namespace}/` : cache.prefix,
    filtered: labels.requirements.length > 0 || fields.length > 0 || named !== undefined,
    matches: (entry) =>
      (named === undefined || entry.name === named) &&
      selectorMatches(labels, entry.labels) &&
      fieldsMatch(fields, (field) => entryField(entry, field)),
  };
}
