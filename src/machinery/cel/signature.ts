import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  NULL,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  mapOf,
  opaqueType,
  structType,
} from './cel-type.ts';
import type { CelType } from './cel-type.ts';

/** How a function may be called; the receiver of a member function is its first argument. */
export interface Signature {
  readonly name: string;
  readonly form: 'member' | 'function';
  readonly args: readonly CelType[];
  readonly result: CelType;
}

const SIMPLE: Readonly<Record<string, CelType>> = {
  dyn: DYN,
  null_type: NULL,
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  timestamp: TIMESTAMP,
  duration: DURATION,
};

/**
 * Reads `<list(T)>.slice(int, int) -> list(T)` (member) or `lists.range(int) -> list(int)` (function). Single capital
 * letters are type parameters, `#Name` is a struct, other names are opaque types.
 */
export function parseSignature(text: string): Signature {
  const member = /^<(.*)>\.([^(]+)\((.*)\) -> (.*)$/.exec(text);
  if (member) {
    const [, receiver = '', name = '', args = '', result = ''] = member;
    return {
      name,
      form: 'member',
      args: [parseType(receiver), ...parseTypes(args)],
      result: parseType(result),
    };
  }
  const [, name = '', args = '', result = ''] = /^([^(]+)\((.*)\) -> (.*)$/.exec(text) ?? [];
  return { name, form: 'function', args: parseTypes(args), result: parseType(result) };
}

function parseTypes(text: string): CelType[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  if (text.trim() !== '') parts.push(text.slice(start));
  return parts.map((part) => parseType(part.trim()));
}

function parseType(text: string): CelType {
  const simple = Object.hasOwn(SIMPLE, text) ? SIMPLE[text] : undefined;
  if (simple) return simple;
  if (/^[A-Z]$/.test(text)) return { kind: 'param', name: text };
  if (text === 'type') return { kind: 'type' };
  if (text.startsWith('#')) return structType(text.slice(1));
  const [, name = '', inner = ''] = /^([^(]+)(?:\((.*)\))?$/.exec(text) ?? [];
  const params = parseTypes(inner);
  const [first = DYN, second = DYN] = params;
  if (name === 'list') return listOf(first);
  if (name === 'map') return mapOf(first, second);
  if (name === 'type') return { kind: 'type', of: first };
  return opaqueType(name, params);
}
