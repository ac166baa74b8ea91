import type { Structure } from '../structure/structure.ts';
import { below, type FieldSet } from './field-set.ts';
import { memberElement } from './path-element.ts';
import { attemptElement, itemsOf, memberOf, membersOf, typedBy } from './typed-value.ts';

/**
 * A value without these fields (`TypedValue.RemoveItems`): undefined for an atomic map or list, and for one that loses all it has,
 * which stays empty where it is a part.
 */
export function removeItems(value: unknown, fields: FieldSet, structure: Structure): unknown {
  const typed = typedBy(structure, value);
  if (typed.type === 'scalar') return value;
  if (typed.type === 'list') {
    const items = itemsOf(value);
    if (!items || items.length === 0 || typed.list === 'atomic') return undefined;
    const kept: unknown[] = [];
    for (const item of items) {
      const element = attemptElement(typed, item) ?? '';
      const node = fields.get(element);
      if (node?.member) continue;
      const inner = below(fields, element);
      kept.push(inner.size === 0 ? item : partWithout(item, inner, typed.items));
    }
    return kept.length === 0 ? undefined : kept;
  }
  const members = membersOf(value);
  if (!members || typed.atomic) return undefined;
  const kept: Record<string, unknown> = {};
  for (const name in members) {
    if (members[name] === undefined) continue;
    const node = fields.get(memberElement(name));
    if (node?.member) continue;
    kept[name] =
      !node || node.children.size === 0
        ? members[name]
        : partWithout(members[name], node.children, memberOf(typed, name));
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

function partWithout(value: unknown, fields: FieldSet, structure: Structure): unknown {
  const left = removeItems(value, fields, structure);
  if (left !== undefined) return left;
  return Array.isArray(value) ? [] : membersOf(value) ? {} : null;
}

/** The set with the declared members that lead to its fields, which sets of values usually leave out. */
export function withNamedFields(fields: FieldSet, structure: Structure): FieldSet {
  const named = new Map(fields);
  for (const [element, node] of fields) {
    if (node.children.size === 0) continue;
    const inner = structureBelow(structure, element);
    const declared =
      structure.type === 'map' && element.startsWith('f:') && structure.declares(element.slice(2));
    named.set(element, {
      member: node.member || declared,
      children: inner ? withNamedFields(node.children, inner) : node.children,
    });
  }
  return named;
}

function structureBelow(structure: Structure, element: string): Structure | undefined {
  if (structure.type === 'map') return structure.member(element.slice(2));
  return structure.type === 'list' ? structure.items : undefined;
}
