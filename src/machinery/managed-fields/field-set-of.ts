import type { Structure } from '../structure/structure.ts';
import type { FieldSet, MutableFieldSet } from './field-set.ts';
import { memberElement, type PathElement } from './path-element.ts';
import {
  isEmptyMap,
  itemsByElement,
  itemsOf,
  memberOf,
  membersOf,
  typedBy,
  type TypedList,
  type TypedMap,
} from './typed-value.ts';

/** Every leaf field, item and map entry that a value mentions (`TypedValue.ToFieldSet`). */
export function fieldSetOf(value: unknown, structure: Structure): FieldSet {
  const set: MutableFieldSet = new Map();
  collect(value, structure, set);
  return set;
}

/** Adds what is below a value; true when the value itself is a field. */
function collect(value: unknown, structure: Structure, into: MutableFieldSet): boolean {
  const typed = typedBy(structure, value);
  switch (typed.type) {
    case 'scalar':
      return true;
    case 'map':
      return typed.atomic || collectMembers(membersOf(value), typed, into);
    default:
      return typed.list === 'atomic' || collectItems(itemsOf(value), typed, into);
  }
}

function collectMembers(
  members: Readonly<Record<string, unknown>> | undefined,
  typed: TypedMap,
  into: MutableFieldSet,
): false {
  for (const name in members) {
    const value = members[name];
    if (value === undefined) continue;
    const children: MutableFieldSet = new Map();
    const isField = collect(value, memberOf(typed, name), children);
    const isEmpty = value === null || (membersOf(value) !== undefined && isEmptyMap(membersOf(value)));
    add(into, memberElement(name), { member: isField || isEmpty || !typed.declares(name), children });
  }
  return false;
}

function collectItems(items: readonly unknown[] | undefined, typed: TypedList, into: MutableFieldSet): false {
  for (const [element, same] of itemsByElement(typed, items)) {
    const children: MutableFieldSet = new Map();
    if (same.length === 1) collect(same[0], typed.items, children);
    add(into, element, { member: true, children });
  }
  return false;
}

function add(
  into: MutableFieldSet,
  element: PathElement,
  node: { member: boolean; children: MutableFieldSet },
): void {
  if (node.member || node.children.size > 0) into.set(element, node);
}
