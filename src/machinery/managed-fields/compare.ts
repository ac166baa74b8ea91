import type { Structure } from '../structure/structure.ts';
import { equalValues } from './compare-values.ts';
import { insertPath, type FieldSet, type MutableFieldSet } from './field-set.ts';
import { memberElement, type PathElement } from './path-element.ts';
import {
  isEmptyMap,
  itemsByElement,
  itemsOf,
  memberOf,
  membersOf,
  typedBy,
  type Typed,
  type TypedList,
  type TypedMap,
} from './typed-value.ts';

/** The fields in which two values of one type differ; no field is in two of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Compares a value with the one that takes its place (`TypedValue.Compare`). */
export function compareTyped(old: unknown, next: unknown, structure: Structure): Comparison {
  const walk = new CompareWalk();
  walk.compare(old, next, structure);
  return walk;
}

class CompareWalk implements Comparison {
  readonly added: MutableFieldSet = new Map();
  readonly modified: MutableFieldSet = new Map();
  readonly removed: MutableFieldSet = new Map();
  readonly #path: PathElement[] = [];

  /** At least one of the values is there. */
  compare(old: unknown, next: unknown, structure: Structure): void {
    if (old === next) return;
    const before = typedBy(structure, old);
    const after = typedBy(structure, next);
    let isLeaf: boolean;
    if (next === undefined) isLeaf = this.#visit(old, next, before);
    else if (old === undefined || before === after) isLeaf = this.#visit(old, next, after);
    else {
      this.#visit(old, next, before);
      isLeaf = this.#visit(old, next, after);
    }
    if (!isLeaf) this.#note(old, next);
  }

  #note(old: unknown, next: unknown): void {
    if (old === undefined) insertPath(this.added, this.#path);
    else if (next === undefined) insertPath(this.removed, this.#path);
  }

  /** True when the value was compared as a whole. */
  #visit(old: unknown, next: unknown, typed: Typed): boolean {
    switch (typed.type) {
      case 'scalar':
        return this.#leaf(old, next);
      case 'map':
        return this.#maps(old, next, typed);
      default:
        return this.#lists(old, next, typed);
    }
  }

  #leaf(old: unknown, next: unknown): true {
    if (old === undefined || next === undefined) this.#note(old, next);
    else if (!equalValues(old, next)) insertPath(this.modified, this.#path);
    return true;
  }

  /** Go's nil and empty collections are one thing once they were stored. */
  #emptyLeaf(old: unknown, next: unknown): true {
    if (isNothing(old) && isNothing(next)) return true;
    return this.#leaf(old, next);
  }

  #maps(old: unknown, next: unknown, typed: TypedMap): boolean {
    const before = membersOf(old);
    const after = membersOf(next);
    if (isEmptyMap(before) && isEmptyMap(after)) return this.#emptyLeaf(old, next);
    if (typed.atomic) return this.#leaf(old, next);
    for (const name in before) this.#member(name, [before[name], after?.[name]], typed);
    for (const name in after) {
      if (before?.[name] === undefined) this.#member(name, [undefined, after[name]], typed);
    }
    return false;
  }

  #member(name: string, [old, next]: readonly [unknown, unknown], typed: TypedMap): void {
    if (old === next) return;
    this.#path.push(memberElement(name));
    this.compare(old, next, memberOf(typed, name));
    this.#path.pop();
  }

  #lists(old: unknown, next: unknown, typed: TypedList): boolean {
    const before = itemsOf(old);
    const after = itemsOf(next);
    if ((before?.length ?? 0) === 0 && (after?.length ?? 0) === 0) return this.#emptyLeaf(old, next);
    if (typed.list === 'atomic') return this.#leaf(old, next);
    const left = itemsByElement(typed, before);
    const right = itemsByElement(typed, after);
    for (const [element, items] of left) this.#items(element, [items, right.get(element) ?? []], typed);
    for (const [element, items] of right) {
      if (!left.has(element)) this.#items(element, [[], items], typed);
    }
    return false;
  }

  /** Items that share their keys have one owner together. */
  #items(
    element: PathElement,
    [old, next]: readonly [readonly unknown[], readonly unknown[]],
    typed: TypedList,
  ): void {
    this.#path.push(element);
    if (old.length <= 1 && next.length <= 1) this.compare(old[0], next[0], typed.items);
    else if (old.length > 1 && next.length > 1) {
      if (!equalValues(old, next)) insertPath(this.modified, this.#path);
    } else if (old.length > 1) {
      if (next.length > 0) this.compare(undefined, next[0], typed.items);
      insertPath(this.removed, this.#path);
    } else {
      if (old.length > 0) this.compare(old[0], undefined, typed.items);
      insertPath(this.added, this.#path);
    }
    this.#path.pop();
  }
}

/** A collection that is there and holds nothing. */
function isNothing(value: unknown): boolean {
  if (value === undefined) return false;
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
