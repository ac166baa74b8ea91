import type { Structure } from '../structure/structure.ts';
import { fieldSet, subtractTrees, unionSets, type FieldSet } from './field-set.ts';
import type { FieldPath, PathElement } from './path-element.ts';

/** The structure that a set was last found to fit. */
const fitting = new WeakMap<FieldSet, Structure>();

/**
 * Fits a set to a type whose maps or lists have become atomic since it was written: who owned parts of one owns it as a whole
 * (`typed.ReconcileFieldSetWithSchema`). What has become granular counts as if it always had been. Answers the set itself when nothing
 * changes.
 */
export function reconcileFields(set: FieldSet, structure: Structure): FieldSet {
  if (fitting.get(set) === structure) return set;
  const paths: FieldPath[] = [];
  collectAtomic(set, structure, [], paths);
  if (paths.length === 0) {
    fitting.set(set, structure);
    return set;
  }
  const whole = fieldSet(...paths);
  return unionSets(subtractTrees(set, whole), whole);
}

function collectAtomic(set: FieldSet, structure: Structure, path: FieldPath, found: FieldPath[]): void {
  for (const [element, { children }] of set) {
    const inner = structureAt(structure, element);
    if (children.size === 0 || !inner || inner.type === 'scalar' || inner.type === 'untyped') continue;
    const below = [...path, element];
    if (inner.type === 'map' ? inner.atomic : inner.list === 'atomic') found.push(below);
    else collectAtomic(children, inner, below, found);
  }
}

function structureAt(structure: Structure, element: PathElement): Structure | undefined {
  if (structure.type === 'map') return structure.member(element.slice(2));
  return structure.type === 'list' ? structure.items : undefined;
}
