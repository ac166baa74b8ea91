import { newBadRequest } from '../status/errors.ts';
import { jsonTypeName } from './json-patch.ts';
import { isObject, type JsonObject, member } from './json-value.ts';

/**
 * Applies a JSON merge patch (RFC 7386) and returns the changed document; `document` itself is left as it is. Nulls
 * inside new objects, and inside objects of lists, vanish. Throws a BadRequest for a patch that is no object.
 */
export function applyMergePatch(document: JsonObject, patch: unknown): JsonObject {
  if (patch === null) throw newBadRequest('Invalid JSON Patch');
  if (!isObject(patch)) {
    throw newBadRequest(
      `error decoding patch: json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return merged(document, patch);
}

function merged(document: JsonObject, patch: JsonObject): JsonObject {
  const members = new Map(Object.entries(document));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      members.delete(key);
      continue;
    }
    const current = member(document, key);
    members.set(key, isObject(value) && isObject(current) ? merged(current, value) : withoutNulls(value));
  }
  return Object.fromEntries(members);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : withoutNulls(item)));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}
