import { evaluate, type JsonPathNode } from './jsonpath-evaluate.ts';
import { parseJsonPath } from './jsonpath-parse.ts';
import { scalarText } from './scalar-text.ts';

/** A template in kubectl's JSONPath dialect: text, and expressions in braces. */
export interface JsonPath {
  /** The text for a value. Throws {@link JsonPathError} where a field is missing and missing ones are not allowed. */
  print(value: unknown): string;
  /** The values that all expressions find, in order. */
  find(value: unknown): unknown[];
}

export interface JsonPathOptions {
  /** Expressions that lead nowhere are an error rather than empty. */
  readonly missing?: 'error' | 'empty';
}

/** Compiles a template. Throws `JsonPathError` with the place of the mistake. */
export function compileJsonPath(template: string, options: JsonPathOptions = {}): JsonPath {
  const nodes = parseJsonPath(template);
  const strict = options.missing === 'error';
  return {
    print: (value) => printNodes(nodes, value, { root: value, strict }),
    find: (value) =>
      nodes.flatMap((node) => (node.type === 'path' ? evaluate(node, value, { root: value, strict }) : [])),
  };
}

/** `.metadata.name`, `{.metadata.name}` and `metadata.name` are all the same path. */
export function relaxedJsonPath(expression: string): string {
  const inner = /^\{?\.?([^{}]*)\}?$/.exec(expression)?.[1] ?? expression;
  return `{.${inner}}`;
}

interface Scope {
  readonly root: unknown;
  readonly strict: boolean;
}

function printNodes(nodes: readonly JsonPathNode[], value: unknown, scope: Scope): string {
  let text = '';
  for (const node of nodes) {
    if (node.type === 'text') text += node.text;
    else if (node.type === 'range') {
      for (const item of evaluate(node.over, value, scope)) text += printNodes(node.body, item, scope);
    } else {
      text += evaluate(node, value, scope)
        .map((found) => (found === null ? '' : scalarText(found)))
        .join(' ');
    }
  }
  return text;
}
