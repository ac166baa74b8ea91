import { evaluate, type JsonPathNode } from './jsonpath-evaluate.ts';
import { parseJsonPath } from './jsonpath-parse.ts';
import { scalarText } from './scalar-text.ts';

/** A template in kubectl's JSONPath dialect: text, and expressions in braces. */
export interface JsonPath {
  /** The text for a value; expressions that lead nowhere leave none. */
  print(value: unknown): string;
  /** The values that all expressions find, in order. */
  find(value: unknown): unknown[];
}

/** Compiles a template. Throws `JsonPathError` with the place of the mistake. */
export function compileJsonPath(template: string): JsonPath {
  const nodes = parseJsonPath(template);
  return {
    print: (value) => printNodes(nodes, value, value),
    find: (value) => nodes.flatMap((node) => (node.type === 'path' ? evaluate(node, value, value) : [])),
  };
}

/** `.metadata.name`, `{.metadata.name}` and `metadata.name` are all the same path. */
export function relaxedJsonPath(expression: string): string {
  const inner = /^\{?\.?([^{}]*)\}?$/.exec(expression)?.[1] ?? expression;
  return `{.${inner}}`;
}

function printNodes(nodes: readonly JsonPathNode[], value: unknown, root: unknown): string {
  let text = '';
  for (const node of nodes) {
    if (node.type === 'text') text += node.text;
    else if (node.type === 'range') {
      for (const item of evaluate(node.over, value, root)) text += printNodes(node.body, item, root);
    } else {
      text += evaluate(node, value, root)
        .map((found) => (found === null ? '' : scalarText(found)))
        .join(' ');
    }
  }
  return text;
}
