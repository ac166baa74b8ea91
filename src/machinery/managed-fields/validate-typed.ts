import { encodeJson } from '../json/encode.ts';
import type { Structure } from '../structure/structure.ts';
import { formatElement, memberElement, type PathElement } from './path-element.ts';
import { ElementError, itemElement, membersOf, typedBy, type TypedList } from './typed-value.ts';

/** A value that is not of its type. The message is upstream's. */
export class TypedError extends Error {}

/** Throws a {@link TypedError} unless a configuration is of its type, with no item of a set or list map twice. */
export function validateTyped(value: unknown, structure: Structure): void {
  const errors: string[] = [];
  validate(value, structure, '', errors);
  const [first] = errors;
  if (first === undefined) return;
  throw new TypedError(
    errors.length === 1 ? first : `errors:\n${errors.map((text) => `  ${text}`).join('\n')}`,
  );
}

function validate(value: unknown, structure: Structure, path: string, errors: string[]): void {
  if (value === null || value === undefined) return;
  const report = (message: string): void => {
    errors.push(path === '' ? message : `${path}: ${message}`);
  };
  const typed = typedBy(structure, value);
  if (typed.type === 'scalar') {
    const problem = scalarProblem(typed.of, value);
    if (problem !== undefined) report(problem);
  } else if (typed.type === 'list') {
    if (!Array.isArray(value)) return report(`expected list, got &{${goValue(value)}}`);
    validateItems(value, typed, path, errors);
  } else {
    const members = membersOf(value);
    if (!members) return report(`expected map, got &{${goValue(value)}}`);
    for (const name in members) {
      const member = typed.member(name);
      const inner = `${path}${formatElement(memberElement(name))}`;
      if (!member) errors.push(`${inner}: field not declared in schema`);
      else validate(members[name], member, inner, errors);
    }
  }
}

function validateItems(items: readonly unknown[], typed: TypedList, path: string, errors: string[]): void {
  const prefix = path === '' ? '' : `${path}: `;
  const seen = new Set<PathElement>();
  for (const [index, item] of items.entries()) {
    let element = `i:${index}`;
    if (typed.list !== 'atomic') {
      try {
        element = itemElement(typed, item);
      } catch (error) {
        if (!(error instanceof ElementError)) throw error;
        errors.push(`${prefix}element ${index}: ${error.message}`);
        return;
      }
      if (seen.has(element)) errors.push(`${prefix}duplicate entries for key ${formatElement(element)}`);
      seen.add(element);
    }
    validate(item, typed.items, `${path}${formatElement(element)}`, errors);
  }
}

function scalarProblem(of: 'string' | 'numeric' | 'boolean' | undefined, value: unknown): string | undefined {
  switch (of) {
    case 'numeric':
      return typeof value === 'number' || typeof value === 'bigint'
        ? undefined
        : `expected numeric (int or float), got ${goTypeOf(value)}`;
    case 'string':
      return typeof value === 'string'
        ? undefined
        : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goValue(value)}}`;
    default:
      return undefined;
  }
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

/** A JSON value as Go's `%v` prints it. */
function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return encodeJson(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([name, member]) => `${name}:${goValue(member)}`).join(' ')}]`;
}

/** A JSON value as Go's `%#v` prints it. */
function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value !== 'object') return encodeJson(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[string]interface {}{${members.map(([name, member]) => `${encodeJson(name)}:${goSyntax(member)}`).join(', ')}}`;
}
