import { evaluateJq, scopeOf, type Scope } from './evaluate-jq.ts';
import { JqError } from './jq-error.ts';
import type { JqWorld } from './jq-natives.ts';
import type { JqNode } from './jq-node.ts';
import { jqPrelude } from './jq-prelude.ts';
import { parseJq } from './parse-jq.ts';

/** A compiled jq expression. */
export interface JqQuery {
  readonly source: string;
  /** All outputs for an input, in order; throws {@link JqError}. The input is not changed. */
  run(input: unknown): unknown[];
}

/** Compiles expressions; the functions that jq itself defines are parsed with the first that calls one. */
export type JqCompiler = (source: string) => JqQuery;

/** A compiler of jq 1.7's language, without modules, input and the environment. */
export function jqCompiler(world: JqWorld): JqCompiler {
  let prelude: Scope | undefined;
  return (source) => {
    const node = parseJq(source);
    const path = plainPath(node);
    return {
      source,
      run(input) {
        if (path) return [follow(input, path)];
        prelude ??= scopeOf(parseJq(jqPrelude), world);
        const outputs: unknown[] = [];
        evaluateJq(node, input, prelude, (value) => outputs.push(value));
        return outputs;
      },
    };
  };
}

/** The keys of an expression that is nothing but `.a.b.c`, which most are. */
function plainPath(node: JqNode): readonly string[] | undefined {
  if (node.type === 'identity') return [];
  if (node.type !== 'index' || node.key.type !== 'literal' || typeof node.key.value !== 'string')
    return undefined;
  const before = plainPath(node.of);
  return before && [...before, node.key.value];
}

function follow(input: unknown, path: readonly string[]): unknown {
  let value = input;
  for (const key of path) {
    if (value === null || value === undefined) return null;
    if (typeof value !== 'object' || Array.isArray(value))
      throw new JqError(`cannot index with ${JSON.stringify(key)}`);
    value = Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  }
  return value ?? null;
}
