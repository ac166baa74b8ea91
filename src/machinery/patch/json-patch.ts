import { newBadRequest, newGenericServerResponse, newRequestEntityTooLarge } from '../status/errors.ts';
import { isObject, jsonEqual, type JsonObject, withMember, withoutMember } from './json-value.ts';

const MAX_OPERATIONS = 10_000;

/** A patch that does not apply, in the words of the library that upstream uses. */
export class JsonPatchError extends Error {
  override readonly name = 'JsonPatchError';
  /** Whether a `test` found something else, rather than the patch being impossible. */
  readonly testFailed: boolean;

  constructor(message: string, outcome: 'impossible' | 'test failed' = 'impossible') {
    super(message);
    this.testFailed = outcome === 'test failed';
  }
}

class Inapplicable extends Error {}

/** The container of the path is not there. */
class MissingContainer extends Inapplicable {}

/**
 * Applies a JSON Patch (RFC 6902) and returns the changed document; `document` itself is left as it is.
 *
 * Follows the library that upstream uses where it departs from the RFC: `replace` of an absent member adds it, an
 * absent `value` is null, negative indices count from the end. Throws a BadRequest for what is no patch, an empty
 * `Invalid` (422) for a patch that does not apply.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  try {
    return tryJsonPatch(document, patch);
  } catch (error) {
    if (error instanceof JsonPatchError) throw newGenericServerResponse({ code: 422 });
    throw error;
  }
}

/** {@link applyJsonPatch}, but throws a `JsonPatchError` for a patch that does not apply. */
export function tryJsonPatch(document: unknown, patch: unknown): unknown {
  return operationsOf(patch).reduce<unknown>((current, operation) => {
    try {
      return applyOperation(current, operation);
    } catch (error) {
      if (!(error instanceof Inapplicable)) throw error;
      throw new JsonPatchError(
        failureText(error, operation),
        error instanceof TestFailed ? 'test failed' : 'impossible',
      );
    }
  }, document);
}

class TestFailed extends Inapplicable {}

function failureText(error: Inapplicable, operation: JsonObject): string {
  const op = String(operation['op']);
  const path = typeof operation['path'] === 'string' ? operation['path'] : '';
  const quoted = op === 'add' || op === 'remove' ? JSON.stringify(path) : path;
  if (error instanceof TestFailed) return `testing value ${path} failed: test failed`;
  if (error instanceof MissingContainer) {
    const part = op === 'test' ? 'is missing path' : 'doc is missing path';
    return `${op} operation does not apply: ${part}: ${quoted}: missing value`;
  }
  if (!['add', 'remove', 'replace', 'move', 'copy'].includes(op)) return error.message;
  return `error in ${op === 'replace' ? 'remove' : op} for path: '${path}': ${error.message}`;
}

function operationsOf(patch: unknown): readonly JsonObject[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) {
    throw newBadRequest(
      `error decoding patch: json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (patch.length > MAX_OPERATIONS) {
    throw newRequestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  return patch.map((operation: unknown) => {
    if (isObject(operation)) return operation;
    throw newBadRequest(
      `error decoding patch: json: cannot unmarshal ${jsonTypeName(operation)} into Go value of type handlers.jsonPatchOp`,
    );
  });
}

/** The words of Go's `encoding/json` for a value of the wrong type. */
export function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function applyOperation(document: unknown, operation: JsonObject): unknown {
  const path = pointer(operation, 'path');
  const value = operation['value'] ?? null;
  switch (operation['op']) {
    case 'add':
      return changeAt(document, path, (container, key) => added(container, key, value));
    case 'remove':
      return changeAt(document, path, removed);
    case 'replace':
      if (path.length === 0) return replacedWhole(value);
      return changeAt(document, path, (container, key) => replaced(container, key, value));
    case 'move': {
      const from = pointer(operation, 'from');
      const moved = valueAt(document, from);
      return changeAt(changeAt(document, from, removed), path, (container, key) =>
        added(container, key, moved),
      );
    }
    case 'copy': {
      const copied = valueAt(document, pointer(operation, 'from')) ?? null;
      return changeAt(document, path, (container, key) => added(container, key, copied));
    }
    case 'test':
      if (!jsonEqual(path.length === 0 ? document : (valueAt(document, path) ?? null), value)) {
        throw new TestFailed('testing value failed');
      }
      return document;
    default:
      throw new Inapplicable('unexpected kind of operation');
  }
}

/** The reference tokens; what stands before the first slash is ignored, as upstream does. */
function pointer(operation: JsonObject, field: 'path' | 'from'): string[] {
  const text = operation[field];
  if (typeof text !== 'string') throw new Inapplicable(`operation missing ${field} field`);
  return text
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll(/~[01]/g, (escape) => (escape === '~1' ? '/' : '~')));
}

function replacedWhole(value: unknown): unknown {
  if (isObject(value) || Array.isArray(value)) return value;
  throw new Inapplicable('replace operation value must be object or array');
}

type Change = (container: JsonObject | readonly unknown[], key: string) => unknown;

function changeAt(node: unknown, path: readonly string[], change: Change): unknown {
  const [key, ...rest] = path;
  if (key === undefined || !isContainer(node)) throw new MissingContainer('doc is missing path');
  if (rest.length === 0) return change(node, key);
  const child = changeAt(childOf(node, key), rest, change);
  return Array.isArray(node)
    ? node.with(indexOf(node, key), child)
    : withMember(node as JsonObject, key, child);
}

function valueAt(node: unknown, path: readonly string[]): unknown {
  if (path.length === 0) throw new MissingContainer('doc is missing path');
  return path.reduce<unknown>((container, key) => {
    if (!isContainer(container)) throw new MissingContainer('doc is missing path');
    return childOf(container, key);
  }, node);
}

function isContainer(node: unknown): node is JsonObject | readonly unknown[] {
  return typeof node === 'object' && node !== null;
}

function isList(node: JsonObject | readonly unknown[]): node is readonly unknown[] {
  return Array.isArray(node);
}

function childOf(container: JsonObject | readonly unknown[], key: string): unknown {
  if (isList(container)) return container[indexOf(container, key)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function added(container: JsonObject | readonly unknown[], key: string, value: unknown): unknown {
  if (!isList(container)) return withMember(container, key, value);
  if (key === '-') return [...container, value];
  return container.toSpliced(listIndex(key, container.length + 1), 0, value);
}

function removed(container: JsonObject | readonly unknown[], key: string): unknown {
  if (isList(container)) return container.toSpliced(indexOf(container, key), 1);
  if (!Object.hasOwn(container, key))
    throw new Inapplicable(`Unable to remove nonexistent key: ${key}: missing value`);
  return withoutMember(container, key);
}

function replaced(container: JsonObject | readonly unknown[], key: string, value: unknown): unknown {
  return isList(container)
    ? container.with(indexOf(container, key), value)
    : withMember(container, key, value);
}

function indexOf(list: readonly unknown[], key: string): number {
  return listIndex(key, list.length);
}

function listIndex(key: string, size: number): number {
  const index = /^[+-]?[0-9]+$/.test(key) ? Number(key) : Number.NaN;
  if (!(index < size && index >= -size))
    throw new Inapplicable(`Unable to access invalid index: ${key}: invalid index referenced`);
  return index < 0 ? index + size : index;
}
