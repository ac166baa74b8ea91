import { compareElements, type FieldPath, type PathElement } from './path-element.ts';

/**
 * A set of fields as a tree of path elements (structured-merge-diff `fieldpath.Set`). Never holds a node that is neither a member
 * nor leads to one.
 */
export type FieldSet = ReadonlyMap<PathElement, FieldNode>;

export interface FieldNode {
  /** Whether the field itself is in the set, rather than only fields below it. */
  readonly member: boolean;
  readonly children: FieldSet;
}

/** A set under construction. */
export type MutableFieldSet = Map<PathElement, MutableFieldNode>;

interface MutableFieldNode {
  member: boolean;
  children: MutableFieldSet;
}

export const noFields: FieldSet = new Map();

/** Adds one field; the object itself, the empty path, is in no set. */
export function insertPath(set: MutableFieldSet, path: FieldPath): void {
  let here = set;
  let node: MutableFieldNode | undefined;
  for (const element of path) {
    node = here.get(element);
    if (!node) {
      node = { member: false, children: new Map() };
      here.set(element, node);
    }
    here = node.children;
  }
  if (node) node.member = true;
}

/** The set of these fields. */
export function fieldSet(...paths: readonly FieldPath[]): FieldSet {
  const set: MutableFieldSet = new Map();
  for (const path of paths) insertPath(set, path);
  return set;
}

export function hasPath(set: FieldSet, path: FieldPath): boolean {
  let here = set;
  let node: FieldNode | undefined;
  for (const element of path) {
    node = here.get(element);
    if (!node) return false;
    here = node.children;
  }
  return node?.member ?? false;
}

/** The fields below one element, without it. */
export function below(set: FieldSet, element: PathElement): FieldSet {
  return set.get(element)?.children ?? noFields;
}

export function unionSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const union = new Map(a);
  for (const [element, node] of b) {
    const other = a.get(element);
    union.set(
      element,
      other
        ? { member: other.member || node.member, children: unionSets(other.children, node.children) }
        : node,
    );
  }
  return union;
}

export function intersectSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0 || b.size === 0) return noFields;
  return combine(a, (element, node) => {
    const other = b.get(element);
    return other && changed(node, node.member && other.member, intersectSets(node.children, other.children));
  });
}

/** The fields of `a` that are not in `b`; a field of `b` takes none below it away. `a` itself when none is. */
export function subtractSet(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0 || b.size === 0) return a;
  return combine(a, (element, node) => {
    const other = b.get(element);
    if (!other) return node;
    return changed(node, node.member && !other.member, subtractSet(node.children, other.children));
  });
}

/** As {@link subtractSet}, but a field of `b` takes all below it away. */
export function subtractTrees(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0 || b.size === 0) return a;
  return combine(a, (element, node) => {
    const other = b.get(element);
    if (!other) return node;
    if (other.member) return undefined;
    return changed(node, node.member, subtractTrees(node.children, other.children));
  });
}

function changed(node: FieldNode, member: boolean, children: FieldSet): FieldNode {
  return member === node.member && children === node.children ? node : { member, children };
}

/** The set itself when no node changes, so that whoever keeps something about it need not look again. */
function combine(
  set: FieldSet,
  change: (element: PathElement, node: FieldNode) => FieldNode | undefined,
): FieldSet {
  const result = new Map<PathElement, FieldNode>();
  let isSame = true;
  for (const [element, node] of set) {
    const next = change(element, node);
    if (next !== node) isSame = false;
    if (next && (next.member || next.children.size > 0)) result.set(element, next);
  }
  return isSame ? set : result;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [element, node] of a) {
    const other = b.get(element);
    if (!other || other.member !== node.member || !equalSets(node.children, other.children)) return false;
  }
  return true;
}

/** The nodes in upstream's order. */
export function sortedNodes(set: FieldSet): [PathElement, FieldNode][] {
  return [...set].sort(([a], [b]) => compareElements(a, b));
}

/** The fields of the set, those of one level before those below, in upstream's order. */
export function pathsOf(set: FieldSet, prefix: FieldPath = []): FieldPath[] {
  const nodes = sortedNodes(set);
  return [
    ...nodes.filter(([, node]) => node.member).map(([element]) => [...prefix, element]),
    ...nodes.flatMap(([element, node]) => pathsOf(node.children, [...prefix, element])),
  ];
}
