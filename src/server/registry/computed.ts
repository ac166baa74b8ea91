import type { KubeObject } from '../../machinery/object.ts';
import { newNotFound } from '../../machinery/status/errors.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import type { Answer } from './answer.ts';
import { entryAnswer } from './read.ts';
import { selectionOf } from './selection.ts';
import { groupResource, storageKey, type ServedVersion } from './served-resource.ts';

/** GET or LIST of objects that are not stored. Throws NotFound, or a BadRequest for a selector. */
export function answerComputed(
  served: ServedVersion,
  request: ApiRequest,
  objects: readonly KubeObject[],
): Answer {
  const entries = objects.map((object) => entryOf(served, object));
  if (request.verb === 'get') {
    const { name = '', namespace = '' } = request;
    const found = entries.find((entry) => entry.name === name && entry.namespace === namespace);
    // Upstream's only kind of this sort names itself in the singular.
    const resource = served.type.singular || served.type.resource;
    if (!found) throw newNotFound({ ...groupResource(served), resource }, name);
    return entryAnswer(served, found);
  }
  const selection = selectionOf(served, request);
  return { type: 'list', served, metadata: {}, entries: entries.filter((entry) => selection.matches(entry)) };
}

function entryOf(served: ServedVersion, object: KubeObject): CacheEntry {
  const { name = '', namespace = '', labels = {} } = object.metadata;
  const fields = Object.entries(served.resource.definition.selectableFields ?? {});
  return {
    key: storageKey(served.resource, namespace, name),
    namespace,
    name,
    revision: 0,
    json: Buffer.from(JSON.stringify(object)),
    labels,
    fields: Object.fromEntries(fields.map(([field, read]) => [field, read(object)])),
  };
}
