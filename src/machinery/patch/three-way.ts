import { isObject, jsonEqual, type JsonObject, member } from './json-value.ts';
import { patchField, type PatchField, type PatchPosition } from './patch-schema.ts';
import type { PatchedMessage } from './strategic-merge-patch.ts';

/** The three states that `apply` compares: what was applied last, what is wanted, what is there. */
export interface ThreeStates {
  readonly original: JsonObject;
  readonly modified: JsonObject;
  readonly current: JsonObject;
}

/** The JSON merge patch from `current` to `modified` that deletes only what `original` had. Empty when nothing changes. */
export function threeWayMergePatch({ original, modified, current }: ThreeStates): JsonObject {
  const patch = new Map<string, unknown>();
  for (const key of Object.keys(original)) {
    if (!Object.hasOwn(modified, key) && Object.hasOwn(current, key)) patch.set(key, null);
  }
  for (const [key, value] of Object.entries(modified)) {
    const now = member(current, key);
    if (isObject(value) && isObject(now)) {
      const before = member(original, key);
      const nested = threeWayMergePatch({
        original: isObject(before) ? before : {},
        modified: value,
        current: now,
      });
      if (Object.keys(nested).length > 0) patch.set(key, nested);
    } else if (!jsonEqual(value, now)) {
      patch.set(key, value);
    }
  }
  return Object.fromEntries(patch);
}

/** The strategic merge patch from `current` to `modified` that deletes only what `original` had. Empty when nothing changes. */
export function threeWayStrategicMergePatch(
  states: ThreeStates,
  { table, message }: PatchedMessage,
): JsonObject {
  return objectPatch(states, { table, type: { type: 'message', message } });
}

function objectPatch(states: ThreeStates, position: PatchPosition | undefined): JsonObject {
  const { original, modified, current } = states;
  const patch = new Map<string, unknown>();
  for (const key of Object.keys(original)) {
    if (!Object.hasOwn(modified, key) && Object.hasOwn(current, key)) patch.set(key, null);
  }
  for (const [key, value] of Object.entries(modified)) {
    const now = member(current, key);
    const before = member(original, key);
    const field = patchField(position, key);
    if (isObject(value) && isObject(now) && field.strategy !== 'replace') {
      const nested = objectPatch(
        { original: isObject(before) ? before : {}, modified: value, current: now },
        field.position,
      );
      if (Object.keys(nested).length > 0) {
        patch.set(key, field.retainKeys ? { $retainKeys: Object.keys(value).sort(), ...nested } : nested);
      }
    } else if (Array.isArray(value) && Array.isArray(now) && field.strategy === 'merge') {
      const lists = { original: Array.isArray(before) ? before : [], modified: value, current: now };
      for (const [name, part] of listPatch(key, lists, field)) patch.set(name, part);
    } else if (!jsonEqual(value, now)) {
      patch.set(key, value);
    }
  }
  return Object.fromEntries(patch);
}

interface ThreeLists {
  readonly original: readonly unknown[];
  readonly modified: readonly unknown[];
  readonly current: readonly unknown[];
}

function listPatch(key: string, lists: ThreeLists, field: PatchField): [string, unknown][] {
  return field.mergeKey === undefined
    ? scalarListPatch(key, lists)
    : objectListPatch(key, lists, { mergeKey: field.mergeKey, position: field.position });
}

function scalarListPatch(key: string, { original, modified, current }: ThreeLists): [string, unknown][] {
  const added = modified.filter((item) => !current.includes(item));
  const removed = original.filter((item) => !modified.includes(item) && current.includes(item));
  if (added.length === 0 && removed.length === 0 && inOrder(modified, current)) return [];
  return [
    [`$setElementOrder/${key}`, modified],
    ...(removed.length > 0 ? [[`$deleteFromPrimitiveList/${key}`, removed] as [string, unknown]] : []),
    ...(added.length > 0 ? [[key, added] as [string, unknown]] : []),
  ];
}

function objectListPatch(
  key: string,
  { original, modified, current }: ThreeLists,
  { mergeKey, position }: { readonly mergeKey: string; readonly position: PatchPosition | undefined },
): [string, unknown][] {
  const named = (list: readonly unknown[], value: unknown): JsonObject | undefined =>
    list.filter(isObject).find((item) => jsonEqual(member(item, mergeKey), value));
  const names = (list: readonly unknown[]): unknown[] =>
    list.filter(isObject).map((item) => member(item, mergeKey));
  const changes: JsonObject[] = [];
  for (const item of modified.filter(isObject)) {
    const value = member(item, mergeKey);
    const now = named(current, value);
    if (!now) {
      changes.push(item);
      continue;
    }
    const nested = objectPatch(
      { original: named(original, value) ?? {}, modified: item, current: now },
      position,
    );
    if (Object.keys(nested).length > 0) changes.push({ ...nested, [mergeKey]: value });
  }
  for (const value of names(original)) {
    if (!named(modified, value) && named(current, value))
      changes.push({ $patch: 'delete', [mergeKey]: value });
  }
  if (changes.length === 0 && inOrder(names(modified), names(current))) return [];
  const order = names(modified).map((value) => ({ [mergeKey]: value }));
  return [
    [`$setElementOrder/${key}`, order],
    ...(changes.length > 0 ? [[key, changes] as [string, unknown]] : []),
  ];
}

/** Whether `current` holds the wanted elements in the wanted order, others aside. */
function inOrder(wanted: readonly unknown[], current: readonly unknown[]): boolean {
  return jsonEqual(
    wanted,
    current.filter((item) => wanted.some((other) => jsonEqual(item, other))),
  );
}
