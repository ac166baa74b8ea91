import { sortedNodes, type FieldNode, type FieldSet } from './field-set.ts';
import { readElement, type PathElement } from './path-element.ts';
import { leaf, shareFields, sharedPart, type SharedFields } from './shared-fields.ts';

/** The set as `fieldsV1` shows it, in upstream's order: frozen, and shared with others that are the same. */
export function encodeFields(set: FieldSet): Readonly<Record<string, unknown>> {
  return shareFields(encodeNodes(set)).object;
}

function encodeNodes(set: FieldSet): [string, SharedFields][] {
  return sortedNodes(set).map(([element, node]) => [element, encodeNode(node)]);
}

function encodeNode({ member, children }: FieldNode): SharedFields {
  if (children.size === 0) return leaf;
  const nodes = encodeNodes(children);
  if (member) nodes.unshift(['.', leaf]);
  return shareFields(nodes);
}

/** Reads `fieldsV1`. Elements of a kind that is not known are passed over. Throws a SyntaxError for anything malformed. */
export function decodeFields(fields: unknown): FieldSet {
  const part = sharedPart(fields);
  if (!part) return readFields(fields);
  part.set ??= readFields(fields);
  return part.set;
}

function readFields(fields: unknown): FieldSet {
  const set = new Map<PathElement, FieldNode>();
  for (const [key, value] of Object.entries(asObject(fields))) {
    if (key === '.') continue;
    const element = readElement(key);
    if (element === undefined) continue;
    const below = asObject(value);
    const children = decodeFields(below);
    set.set(element, { member: Object.hasOwn(below, '.') || children.size === 0, children });
  }
  return set;
}

function asObject(value: unknown): object {
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  throw new SyntaxError('expected an object of fields');
}
