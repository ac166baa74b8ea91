import type { Structure } from '../structure/structure.ts';
import { fieldSetOf } from './field-set-of.ts';
import { fieldSet, noFields, subtractTrees, unionSets, type FieldNode, type FieldSet } from './field-set.ts';
import type { FieldPath, PathElement } from './path-element.ts';

interface Changes {
  readonly atomic: FieldPath[];
  readonly granular: FieldPath[];
}

/**
 * Fits a set to a type whose lists and maps have become atomic or granular since it was written
 * (`typed.ReconcileFieldSetWithSchema`). Answers the set itself when nothing changes; `live` is asked only then.
 */
export async function reconcileFields(
  set: FieldSet,
  structure: Structure,
  live: () => Promise<unknown>,
): Promise<FieldSet> {
  if (structure.type === 'untyped') return set;
  const changes: Changes = { atomic: [], granular: [] };
  descend(set, structure, [], changes);
  if (changes.atomic.length === 0 && changes.granular.length === 0) return set;
  const whole = fieldSet(...changes.atomic);
  let reconciled = unionSets(subtractTrees(set, whole), whole);
  if (changes.granular.length > 0) {
    const fields = fieldSetOf(await live(), structure);
    for (const path of changes.granular) reconciled = unionSets(reconciled, granularSet(fields, path));
  }
  return reconciled;
}

function descend(set: FieldSet, structure: Structure, path: FieldPath, changes: Changes): void {
  for (const [element, node] of set) {
    const inner = structureAt(structure, element);
    if (inner) visit(node, inner, [...path, element], changes);
  }
}

function visit(node: FieldNode, structure: Structure, path: FieldPath, changes: Changes): void {
  if (structure.type === 'scalar' || structure.type === 'untyped') return;
  const wasAtomic = node.member && node.children.size === 0;
  const isAtomic = structure.type === 'map' ? structure.atomic : structure.list === 'atomic';
  if (isAtomic) {
    if (!wasAtomic && node.children.size > 0) changes.atomic.push(path);
    return;
  }
  if (wasAtomic) changes.granular.push(path);
  descend(node.children, structure, path, changes);
}

function structureAt(structure: Structure, element: PathElement): Structure | undefined {
  if (structure.type === 'map') return structure.member(element.slice(2));
  return structure.type === 'list' ? structure.items : undefined;
}

/** The fields of the object below a path, with the path itself. */
function granularSet(fields: FieldSet, path: FieldPath): FieldSet {
  let here = fields;
  for (const element of path) here = here.get(element)?.children ?? noFields;
  let node: FieldNode = { member: true, children: here };
  for (const element of path.slice(1).toReversed())
    node = { member: false, children: new Map([[element, node]]) };
  return path[0] === undefined ? noFields : new Map([[path[0], node]]);
}
