import { sortedNodes, type FieldNode, type FieldSet } from './field-set.ts';
import { readElement, type PathElement } from './path-element.ts';

type Json = Record<string, unknown>;

/** The set as `fieldsV1` shows it, in upstream's order. */
export function encodeFields(set: FieldSet): Json {
  const object: Json = {};
  for (const [element, node] of sortedNodes(set)) object[element] = encodeNode(node);
  return object;
}

function encodeNode({ member, children }: FieldNode): Json {
  if (children.size === 0) return {};
  return member ? { '.': {}, ...encodeFields(children) } : encodeFields(children);
}

/** Reads `fieldsV1`. Elements of a kind that is not known are passed over. Throws a SyntaxError for anything malformed. */
export function decodeFields(fields: unknown): FieldSet {
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
