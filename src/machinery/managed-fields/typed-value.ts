import type { Structure } from '../structure/structure.ts';
import { keyElement, valueElement, type PathElement } from './path-element.ts';

/** A structure that says what kind of value it is. */
export type Typed = Exclude<Structure, { readonly type: 'untyped' }>;
export type TypedMap = Extract<Structure, { readonly type: 'map' }>;
export type TypedList = Extract<Structure, { readonly type: 'list' }>;

const untyped: Structure = { type: 'untyped' };
const anyScalar: Typed = { type: 'scalar' };
const anyList: Typed = { type: 'list', list: 'atomic', items: untyped };
const anyMap: Typed = { type: 'map', atomic: false, member: () => untyped, declares: () => false };

/** What a value is where its type does not say: lists are atomic, maps granular, and null counts as a map. */
export function typedBy(structure: Structure, value: unknown): Typed {
  if (structure.type !== 'untyped') return structure;
  if (value === null || value === undefined) return anyMap;
  if (Array.isArray(value)) return anyList;
  return typeof value === 'object' ? anyMap : anyScalar;
}

/** The structure of a member; anything goes where the type knows nothing of it. */
export function memberOf(structure: TypedMap, name: string): Structure {
  return structure.member(name) ?? untyped;
}

/** The members of a value that should be a map; undefined when it has none to look at. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

export function itemsOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** An item that cannot be named. */
export class ElementError extends Error {}

/** What names an item of a set or list map. Throws an {@link ElementError} in upstream's words. */
export function itemElement(list: TypedList, item: unknown): PathElement {
  if (list.list === 'atomic') throw new ElementError('invalid indexing of non-associative list');
  if (list.list === 'set') return setElement(item);
  if (item === null || item === undefined)
    throw new ElementError('associative list with keys may not have a null element');
  const members = membersOf(item);
  if (!members) throw new ElementError('associative list with keys may not have non-map elements');
  const keys: Record<string, unknown> = {};
  for (const name of list.keys) {
    const value = members[name];
    if (value !== undefined) keys[name] = value;
    else if (list.keyDefaults[name] !== undefined) keys[name] = list.keyDefaults[name];
  }
  if (Object.keys(keys).length === 0) {
    const names = list.keys.map((name) => JSON.stringify(name)).join(' ');
    throw new ElementError(
      `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    );
  }
  return keyElement(keys);
}

function setElement(item: unknown): PathElement {
  if (item === null || item === undefined)
    throw new ElementError("associative list without keys has an element that's an explicit null");
  if (Array.isArray(item)) throw new ElementError('not supported: associative list with lists as elements');
  if (typeof item === 'object')
    throw new ElementError("associative list without keys has an element that's a map type");
  return valueElement(item);
}

/** The items of an associative list by what names them, those that cannot be named left out; the names in order. */
export function itemsByElement(
  list: TypedList,
  items: readonly unknown[] | undefined,
): Map<PathElement, unknown[]> {
  const named = new Map<PathElement, unknown[]>();
  for (const item of items ?? []) {
    const element = attemptElement(list, item);
    if (element === undefined) continue;
    const same = named.get(element);
    if (same) same.push(item);
    else named.set(element, [item]);
  }
  return named;
}

/** What names an item, undefined for one that cannot be named. */
export function attemptElement(list: TypedList, item: unknown): PathElement | undefined {
  try {
    return itemElement(list, item);
  } catch (error) {
    if (error instanceof ElementError) return undefined;
    throw error;
  }
}

export function isEmptyMap(value: Readonly<Record<string, unknown>> | undefined): boolean {
  if (!value) return true;
  for (const name in value) if (Object.hasOwn(value, name) && value[name] !== undefined) return false;
  return true;
}
