import type { SchemaTable } from '../schema/schema.ts';
import { newBadRequest, newGenericServerResponse, newUnknownError } from '../status/errors.ts';
import { jsonTypeName } from './json-patch.ts';
import { goPrint, isObject, jsonEqual, type JsonObject, member, withoutMember } from './json-value.ts';
import { mergedOrder } from './list-order.ts';
import { patchField, type PatchField, type PatchPosition } from './patch-schema.ts';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder/';
const DELETE_FROM = '$deleteFromPrimitiveList/';

/** What tells a strategic merge patch how lists merge: the message of the object in a schema. */
export interface PatchedMessage {
  readonly table: SchemaTable;
  readonly message: string;
}

/**
 * Applies a strategic merge patch and returns the changed object; `document` itself is left as it is.
 *
 * Understands all directives of the API conventions: `$patch` (replace, delete, merge), `$retainKeys`,
 * `$setElementOrder/<list>` and `$deleteFromPrimitiveList/<list>`. Throws Status errors as upstream's handler does.
 */
export function applyStrategicMergePatch(
  document: JsonObject,
  patch: unknown,
  { table, message }: PatchedMessage,
): JsonObject {
  if (patch === null) return document;
  if (!isObject(patch)) {
    throw newBadRequest(
      `error decoding patch: json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return mergeObjects(document, patch, { table, type: { type: 'message', message } });
}

function mergeObjects(
  original: JsonObject,
  patch: JsonObject,
  position: PatchPosition | undefined,
): JsonObject {
  if (Object.hasOwn(patch, PATCH)) return directed(patch);
  const members = new Map(Object.entries(retained(original, patch)));
  const { orders, lists } = listDirectives(patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM)) continue;
    if (orders.has(key) && Array.isArray(value)) continue;
    if (value === null) {
      members.delete(key);
      continue;
    }
    members.set(key, mergeMember(members.get(key), value, patchField(position, key)));
  }
  for (const [key, removals] of lists) {
    const current = members.get(key);
    if (Array.isArray(current)) {
      members.set(
        key,
        current.filter((item) => !removals.some((removal) => jsonEqual(item, removal))),
      );
    }
  }
  for (const [key, order] of orders) {
    const value = member(patch, key);
    const list = orderedList(members.get(key), Array.isArray(value) ? value : undefined, order, {
      name: key,
      field: patchField(position, key),
    });
    if (list) members.set(key, list);
  }
  return Object.fromEntries(members);
}

function directed(patch: JsonObject): JsonObject {
  const directive = patch[PATCH];
  if (directive === 'replace') return withoutMember(patch, PATCH);
  if (directive === 'delete') return {};
  throw unknownDirective(directive, patch);
}

function unknownDirective(directive: unknown, patch: JsonObject): Error {
  return newUnknownError(`unknown patch type: ${goPrint(directive)} in map: ${goPrint(patch)}`);
}

/** Drops what `$retainKeys` does not name; every member that the patch sets must be named. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return original;
  const names = patch[RETAIN_KEYS];
  const malformed = newBadRequest('invalid patch format of retainKeys');
  if (!Array.isArray(names)) throw malformed;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith('$')) continue;
    if (!names.includes(key)) throw malformed;
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => names.includes(key)));
}

function listDirectives(patch: JsonObject): {
  readonly orders: Map<string, readonly unknown[]>;
  readonly lists: Map<string, readonly unknown[]>;
} {
  const orders = new Map<string, readonly unknown[]>();
  const lists = new Map<string, readonly unknown[]>();
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(SET_ORDER)) {
      if (!Array.isArray(value)) throw newBadRequest('invalid patch format of setElementOrder list');
      orders.set(key.slice(SET_ORDER.length), value);
    } else if (key.startsWith(DELETE_FROM)) {
      if (!Array.isArray(value)) throw newBadRequest('invalid patch format of primitive list');
      lists.set(key.slice(DELETE_FROM.length), value);
    }
  }
  return { orders, lists };
}

function mergeMember(original: unknown, patch: unknown, field: PatchField): unknown {
  if (isObject(original) && isObject(patch)) {
    return field.strategy === 'replace'
      ? withoutDirectives(patch)
      : mergeObjects(original, patch, field.position);
  }
  if (Array.isArray(original) && Array.isArray(patch)) return mergeLists(original, patch, field);
  return withoutDirectives(patch);
}

function mergeLists(
  original: readonly unknown[],
  patch: readonly unknown[],
  field: PatchField,
): readonly unknown[] {
  if (field.strategy !== 'merge') return patch;
  if (original.length === 0 && patch.length === 0) return original;
  if (elementType(original, patch) !== 'map') {
    const distinct = [...new Set([...original, ...patch])];
    return mergedOrder(distinct, patch, original, (element) => element);
  }
  const { mergeKey } = field;
  if (mergeKey === undefined) throw newUnknownError('cannot merge lists without merge key');
  const { base, changes } = specialElements(original, patch, mergeKey);
  const result = [...base];
  for (const change of changes) {
    const value = keyOf(change, mergeKey);
    const index = result.findIndex(
      (element) => isObject(element) && jsonEqual(member(element, mergeKey), value),
    );
    const current = result[index];
    if (index >= 0 && isObject(current)) result[index] = mergeObjects(current, change, field.position);
    else result.push(withoutDirectives(change));
  }
  return mergedOrder(result, changes, base, keyed(mergeKey));
}

/** Carries out the elements that are directives themselves, and gives the others. */
function specialElements(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
): { readonly base: readonly unknown[]; readonly changes: readonly JsonObject[] } {
  let base = original;
  let replace = false;
  const changes: JsonObject[] = [];
  for (const element of patch.filter(isObject)) {
    const directive = member(element, PATCH);
    if (directive === undefined) {
      changes.push(element);
    } else if (directive === 'delete') {
      const value = keyOf(element, mergeKey);
      base = base.filter((item) => !isObject(item) || !jsonEqual(member(item, mergeKey), value));
    } else if (directive === 'replace') {
      replace = true;
    } else if (directive === 'merge') {
      throw newUnknownError('merging lists cannot yet be specified in the patch');
    } else {
      throw unknownDirective(directive, element);
    }
  }
  return replace ? { base: changes, changes: [] } : { base, changes };
}

function keyOf(element: JsonObject, mergeKey: string): unknown {
  if (Object.hasOwn(element, mergeKey)) return element[mergeKey];
  throw newUnknownError(`map: ${goPrint(element)} does not contain declared merge key: ${mergeKey}`);
}

/** Names elements by their merge key; numbers of either size are one. */
function keyed(mergeKey: string): (element: unknown) => unknown {
  return (element) => {
    const value = isObject(element) ? member(element, mergeKey) : element;
    return typeof value === 'bigint' ? Number(value) : value;
  };
}

function elementType(...lists: readonly (readonly unknown[])[]): string {
  const types = new Set(lists.flat().map((item) => (isObject(item) ? 'map' : jsonTypeName(item))));
  if (types.has('array')) throw newGenericServerResponse({ code: 422 });
  const [type, other] = types;
  if (type === undefined) throw newUnknownError('no elements in any of the given slices');
  if (other !== undefined) throw newUnknownError(`list element types are not identical: ${goPrint(lists)}`);
  return type;
}

/** The list of a member with `$setElementOrder`: merged first, then put in order. */
function orderedList(
  original: unknown,
  patch: readonly unknown[] | undefined,
  order: readonly unknown[],
  { name, field }: { readonly name: string; readonly field: PatchField },
): readonly unknown[] | undefined {
  const current: readonly unknown[] | undefined = Array.isArray(original) ? original : undefined;
  const { mergeKey } = field;
  const identify = mergeKey === undefined ? (element: unknown): unknown => element : keyed(mergeKey);
  if (patch) checkOrder(patch, order, name, identify);
  const merged = current && patch ? mergeLists(current, patch, field) : (current ?? withoutDirectives(patch));
  if (!Array.isArray(merged)) return undefined;
  if (mergeKey !== undefined) {
    for (const element of [...order, ...merged]) if (isObject(element)) keyOf(element, mergeKey);
  }
  return mergedOrder(merged, order, current ?? [], identify);
}

function checkOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  name: string,
  identify: (element: unknown) => unknown,
): void {
  const places = order.map((element) => identify(element));
  let last = -1;
  for (const element of patch) {
    if (isObject(element) && Object.hasOwn(element, PATCH)) continue;
    const place = places.indexOf(identify(element));
    if (place < 0 || place < last) {
      throw newUnknownError(
        `The order in patch list:\n${goPrint(patch)}\n doesn't match ${SET_ORDER}${name} list:\n${goPrint(order)}\n`,
      );
    }
    last = place;
  }
}

/** What a patch leaves where nothing was: directives and nulls are gone. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((item) => !isObject(item) || !Object.hasOwn(item, PATCH))
      .map((item) => withoutDirectives(item));
  }
  if (!isObject(value)) return value;
  if (member(value, PATCH) === 'delete') return {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== null && !isDirective(key))
      .map(([key, item]) => [key, withoutDirectives(item)]),
  );
}

function isDirective(key: string): boolean {
  return key === PATCH || key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM);
}
